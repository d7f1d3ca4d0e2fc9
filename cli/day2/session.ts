// One SSH connection to an app's host, and the host's verbs over it.
import { Client, type ClientChannel } from "ssh2";
import type { AppAccess } from "../../components/release/day2";
import { CliError } from "../errors";
import { pinHostKey } from "../pinnedHostKey";
import { quoteWords } from "./quote";

/** How the host's script says that it could not do what was asked for; see day2.sh. */
const refusedByHost = 125;

export interface Captured {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A terminal on this side, as the other side has to know it. */
export interface Pty {
  readonly term: string;
  readonly rows: number;
  readonly cols: number;
}

/** What a session is asked for. Tests give their own. */
export interface Session {
  /** Runs a verb whose answer is text. @throws CliError with the host's words when it refuses. */
  capture(words: readonly string[], stdin?: string | NodeJS.ReadableStream): Promise<Captured>;
  /** Runs a verb and hands its streams over. */
  open(words: readonly string[], pty?: Pty): Promise<ClientChannel>;
  close(): void;
}

/** The line that runs the host's script, as root, or says why it cannot. */
export function hostCommand(app: string, words: readonly string[]): string {
  const script = `/var/lib/slipway/${app}/bin/day2.sh`;
  const refusal = (message: string, cure: string): string =>
    `{ printf '%s\\n' ${quoteWords([`slipway: ${message}`, `  cure: ${cure}`])} >&2; exit ${refusedByHost}; }`;
  return [
    `S=; [ "$(id -u)" = 0 ] || S='sudo -n'`,
    `$S true || ${refusal("this user may not become root on the host", "give it sudo without a password, as the release has it")}`,
    `$S test -x ${script} || ${refusal(
      `the host has nothing of the app ${app} yet`,
      "run pulumi up: it makes the app's place there and ships what the release file names",
    )}`,
    `exec $S ${script} ${quoteWords(words)}`,
  ].join("; ");
}

/** Connects to the host of an app. @throws CliError naming what stands in the way. */
export async function openSession({ app, connection }: AppAccess): Promise<Session> {
  const client = await connect(connection);
  const open = (words: readonly string[], pty?: Pty): Promise<ClientChannel> =>
    new Promise((resolve, reject) => {
      client.exec(hostCommand(app, words), pty === undefined ? {} : { pty: { ...pty } }, (error, channel) => {
        if (error === undefined) resolve(channel);
        else reject(new CliError(`the host takes no command: ${error.message}`, { cure: "try again" }));
      });
    });
  return {
    open,
    capture: async (words, stdin = "") => {
      const channel = await open(words);
      const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
      channel.on("data", (chunk: Buffer) => stdout.push(chunk));
      channel.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
      // The script may end without reading its stdin.
      channel.on("error", () => undefined);
      if (typeof stdin === "string") channel.end(stdin);
      else stdin.pipe(channel);
      const code = await exitCode(channel);
      const text = (parts: Buffer[]): string => Buffer.concat(parts).toString("utf8");
      if (code === refusedByHost) throw refusal(text(stderr));
      return { code, stdout: text(stdout), stderr: text(stderr) };
    },
    close: () => void client.end(),
  };
}

/** Waits for the end of a command. @throws CliError when the connection ends before it. */
export function exitCode(channel: ClientChannel): Promise<number> {
  return new Promise((resolve, reject) => {
    let code: number | undefined;
    channel.on("exit", (status: number | null, signal?: string) => {
      code = status ?? 128 + (signalNumbers[signal ?? ""] ?? 1);
    });
    channel.on("close", () => {
      if (code !== undefined) resolve(code);
      else reject(new ConnectionLost());
    });
  });
}

const signalNumbers: Readonly<Record<string, number>> = {
  HUP: 1,
  SIGHUP: 1,
  INT: 2,
  SIGINT: 2,
  KILL: 9,
  SIGKILL: 9,
  TERM: 15,
  SIGTERM: 15,
};

/** What was begun may go on without this side. */
export class ConnectionLost extends CliError {
  constructor() {
    super("the connection to the host was lost", {
      cure: "what was begun may go on there: look with `slipway status`, then do it again if it has to be",
    });
  }
}

/** What the host's script said, as an error of this command. */
export function refusal(stderr: string): CliError {
  const message = /^slipway: (.*)$/m.exec(stderr)?.[1];
  const cure = /^ {2}cure: (.*)$/m.exec(stderr)?.[1];
  const rest = stderr.replace(/^(slipway: | {2}cure: ).*\n?/gm, "");
  const log = rest.trim() === "" ? undefined : { title: "what the host said", text: rest };
  if (message !== undefined && cure !== undefined) return new CliError(message, { cure, log });
  return new CliError("the host could not do it", {
    cure: "read its words",
    log: { title: "what the host said", text: stderr },
  });
}

function connect({ host, port, user, privateKey, hostKey }: AppAccess["connection"]): Promise<Client> {
  const pin = pinHostKey(hostKey);
  return new Promise((resolve, reject) => {
    const client = new Client();
    let ready = false;
    client.once("ready", () => {
      ready = true;
      resolve(client);
    });
    client.on("error", (error: Error & { level?: string }) => {
      client.destroy();
      if (!ready)
        reject(connectionProblem(error, { address: `${host}:${port}`, user, mismatch: pin.mismatch() }));
    });
    client.once("close", () => {
      if (!ready)
        reject(connectionProblem(new Error("closed at once"), { address: `${host}:${port}`, user }));
    });
    client.connect({
      ...{ host, port, username: user, privateKey, ...pin.config },
      readyTimeout: 15_000,
      // A connection that is gone is noticed within a minute.
      ...{ keepaliveInterval: 15_000, keepaliveCountMax: 4 },
    });
  });
}

function connectionProblem(
  error: Error & { level?: string },
  { address, user, mismatch }: { address: string; user: string; mismatch?: string },
): CliError {
  if (mismatch !== undefined) {
    return new CliError(`what answers at ${address} is not the host of this stack`, {
      received: `host key ${mismatch}`,
      accepted: "the key that the stack pinned",
      cure: "if the machine was replaced, run pulumi up; otherwise somebody stands in between: do not go on",
    });
  }
  if (error.level === "client-authentication") {
    return new CliError(`the host at ${address} refuses the stack's key`, {
      received: `the key of the stack, for the user ${user}`,
      accepted: "a key in the user's authorized_keys",
      cure: "run pulumi up, which puts the stack's key there; if that is refused too, use the provider's console",
    });
  }
  return new CliError(`the host at ${address} cannot be reached: ${error.message}`, {
    cure: "see whether the machine runs, and whether slipway:host.sshFrom lets this machine's address in",
  });
}
