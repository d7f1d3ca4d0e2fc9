import { setTimeout as sleep } from "node:timers/promises";
import { Client, type ConnectConfig } from "ssh2";
import { pinHostKey } from "../../pinnedHostKey";

/** `connection` of a `command.remote.Command`, as plain values. */
export interface SshConnection {
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
  readonly privateKey?: string;
  readonly privateKeyPassword?: string;
  readonly password?: string;
  /** `type base64`. Absent means that the host key is not verified. */
  readonly hostKey?: string;
  readonly dialErrorLimit?: number;
  readonly perDialTimeout?: number;
  readonly proxy?: unknown;
  readonly agentSocketPath?: string;
}

export interface CommandRun {
  readonly command: string;
  readonly stdin?: string;
  readonly onLine?: (line: string) => void;
}

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
}

const firstPauseMs = 100;
const longestPauseMs = 5000;

/** Connects with the provider's patience: any error is tried again, after 100 ms, 150 ms and so on up to 5 s. */
export async function dial(
  connection: SshConnection,
  signal: AbortSignal,
  log: (line: string) => void,
): Promise<Client> {
  const limit = connection.dialErrorLimit ?? 10;
  let pauseMs = firstPauseMs;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await dialOnce(connection, signal);
    } catch (error) {
      if (signal.aborted) throw new Error("interrupted while connecting", { cause: error });
      if (limit > -1 && attempt > limit) {
        throw new Error(`after ${attempt} failed attempts: ${(error as Error).message}`, { cause: error });
      }
      log(`dial ${attempt}/${limit > -1 ? limit : "inf"} failed: retrying`);
      await sleep(pauseMs, undefined, { signal });
      pauseMs = Math.min(pauseMs * 1.5, longestPauseMs);
    }
  }
}

function dialOnce(connection: SshConnection, signal: AbortSignal): Promise<Client> {
  const { host, port = 22, user = "root", privateKey, password, hostKey } = connection;
  const pin = hostKey === undefined ? undefined : pinHostKey(hostKey);
  const config: ConnectConfig = {
    host,
    port,
    username: user,
    readyTimeout: (connection.perDialTimeout ?? 15) * 1000,
    ...(privateKey !== undefined && { privateKey }),
    ...(connection.privateKeyPassword !== undefined && { passphrase: connection.privateKeyPassword }),
    ...(password !== undefined && { password }),
    ...pin?.config,
  };
  return new Promise((resolve, reject) => {
    const client = new Client();
    const onAbort = (): void => {
      client.destroy();
      reject(new Error("interrupted"));
    };
    signal.addEventListener("abort", onAbort, { once: true });
    const settled = (): void => signal.removeEventListener("abort", onAbort);
    client.once("ready", () => {
      settled();
      resolve(client);
    });
    client.on("error", (error) => {
      settled();
      client.destroy();
      const mismatch = pin?.mismatch();
      reject(mismatch === undefined ? describe(error, host, port) : hostKeyMismatch(host, mismatch));
    });
    client.once("close", () => {
      settled();
      reject(new Error(`ssh: ${host}:${port} closed the connection during the handshake`));
    });
    try {
      client.connect(config);
    } catch (error) {
      settled();
      reject(new Error(`connection: ${(error as Error).message}`, { cause: error }));
    }
  });
}

function hostKeyMismatch(host: string, mismatch: string): Error {
  return new Error(`ssh: handshake failed: ssh: host key mismatch: ${host} presents ${mismatch}`);
}

function describe(error: Error & { level?: string }, host: string, port: number): Error {
  const what = error.level === "client-authentication" ? "unable to authenticate" : error.message;
  return new Error(`ssh: cannot connect to ${host}:${port}: ${what}`, { cause: error });
}

/** Runs one command. Its failure is told as the provider tells it: the command, and both outputs as they came. */
export function execute(client: Client, run: CommandRun, signal: AbortSignal): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string, output = ""): void => {
      reject(new Error(`${reason}: running ${JSON.stringify(run.command)}:\n${output}`));
    };
    const onAbort = (): void => void client.destroy();
    signal.addEventListener("abort", onAbort, { once: true });
    client.once("close", () => {
      signal.removeEventListener("abort", onAbort);
      fail(signal.aborted ? "interrupted" : "wait: remote command exited without exit status or exit signal");
    });
    client.exec(run.command, (error, channel) => {
      if (error) return fail(`ssh: cannot run the command: ${error.message}`);
      const parts: Record<"stdout" | "stderr", Buffer[]> = { stdout: [], stderr: [] };
      const combined: Buffer[] = [];
      const collect = (name: "stdout" | "stderr") => {
        const lines = lineSplitter(run.onLine);
        return (chunk: Buffer): void => {
          parts[name].push(chunk);
          combined.push(chunk);
          lines(chunk);
        };
      };
      channel.on("data", collect("stdout"));
      channel.stderr.on("data", collect("stderr"));
      // The command may end without reading its stdin.
      channel.on("error", () => undefined);
      channel.on("close", (code: number | null | undefined, killedBy?: string) => {
        const output = Buffer.concat(combined).toString("utf8");
        const [stdout, stderr] = [parts.stdout, parts.stderr].map((part) =>
          Buffer.concat(part).toString("utf8"),
        );
        if (code === 0) return resolve({ stdout: trimNewline(stdout), stderr: trimNewline(stderr) });
        if (typeof code === "number") return fail(`Process exited with status ${code}`, output);
        if (killedBy) return fail(`Process exited with signal ${killedBy}`, output);
        return fail("wait: remote command exited without exit status or exit signal", output);
      });
      channel.end(run.stdin ?? "");
    });
  });
}

function trimNewline(text = ""): string {
  return text.endsWith("\n") ? text.slice(0, -1) : text;
}

function lineSplitter(onLine: ((line: string) => void) | undefined): (chunk: Buffer) => void {
  let rest = "";
  return (chunk) => {
    const lines = (rest + chunk.toString("utf8")).split("\n");
    rest = lines.pop() ?? "";
    if (onLine) lines.forEach(onLine);
  };
}
