import { spawn } from "node:child_process";
import type { Readable } from "node:stream";

export interface DockerOptions {
  /** What the command reads on stdin: the way for secrets, which must not be arguments. @default nothing */
  readonly input?: string | Buffer | Readable;
  /** After this many seconds the command is killed. @default 600 */
  readonly timeoutSeconds?: number;
  /** Variables added to this process's own. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A docker command that failed, with what it printed. Arguments never hold secrets, so they may be shown. */
export class DockerError extends Error {
  constructor(
    readonly args: readonly string[],
    readonly code: number,
    readonly stderr: string,
    readonly stdout: string,
  ) {
    super(`docker ${args.slice(0, 12).join(" ")} failed (exit ${code}): ${tail(stderr || stdout, 12)}`);
    this.name = "DockerError";
  }
}

/** The last lines of a log. */
export function tail(text: string, lines: number): string {
  return text.trimEnd().split("\n").slice(-lines).join("\n");
}

/** Runs `docker ARGS` and gives its stdout. Throws a DockerError when it fails, is killed or is not there. */
export async function docker(args: readonly string[], options: DockerOptions = {}): Promise<string> {
  return (await run("docker", args, options)).toString("utf8");
}

/** Runs a command inside a container as root. */
export async function dockerExec(
  container: string,
  argv: readonly string[],
  options: DockerOptions = {},
): Promise<string> {
  return docker(["exec", ...(options.input === undefined ? [] : ["-i"]), container, ...argv], options);
}

/** Runs a docker command with another command's stdout as its stdin, for what is too large to hold. */
export async function pipeCommand(
  command: string,
  from: readonly string[],
  to: readonly string[],
  options: DockerOptions = {},
): Promise<string> {
  const source = spawn(command, [...from], { stdio: ["ignore", "pipe", "pipe"] });
  const errors: Buffer[] = [];
  source.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
  const ended = new Promise<number>((resolve) => {
    source.on("error", () => resolve(127));
    source.on("close", (code) => resolve(code ?? 137));
  });
  try {
    const output = await docker(to, { ...options, input: source.stdout });
    const code = await ended;
    if (code !== 0) {
      throw new Error(
        `${command} ${from.join(" ")} failed (exit ${code}): ${tail(Buffer.concat(errors).toString(), 12)}`,
      );
    }
    return output;
  } finally {
    source.kill();
  }
}

async function run(command: string, args: readonly string[], options: DockerOptions): Promise<Buffer> {
  const child = spawn(command, [...args], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, ...options.environment },
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
  // A command that ends before it has read everything closes the pipe: its exit code tells, not the pipe.
  child.stdin.on("error", () => undefined);
  if (typeof options.input === "string" || Buffer.isBuffer(options.input)) child.stdin.end(options.input);
  else if (options.input === undefined) child.stdin.end();
  else options.input.pipe(child.stdin);

  const seconds = options.timeoutSeconds ?? 600;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, seconds * 1000);
  const code = await new Promise<number>((resolve) => {
    child.on("error", (error) => {
      err.push(Buffer.from(error.message));
      resolve(127);
    });
    child.on("close", (status) => resolve(status ?? 137));
  });
  clearTimeout(timer);
  if (code !== 0) {
    const stderr = Buffer.concat(err).toString("utf8") + (late ? `\nkilled after ${seconds} s` : "");
    throw new DockerError(args, code, stderr, Buffer.concat(out).toString("utf8"));
  }
  return Buffer.concat(out);
}
