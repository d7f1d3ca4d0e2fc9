// A command on the host with the streams of this process: a terminal when there is one, otherwise pipes.
import { spawnSync } from "node:child_process";
import type { ClientChannel } from "ssh2";
import { CliError, exitCodes } from "../errors";
import { exitCode, type Session } from "./session";

/** The streams of this process. Tests give their own. */
export interface Streams {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

export interface StreamOptions {
  /** Whether the command may have a terminal. */
  readonly terminal: boolean;
  /** What a Ctrl-C does when there is no terminal that would carry it over. @default the connection ends */
  readonly onInterrupt?: (times: number) => Promise<unknown>;
}

/** Runs a verb on this process's streams and returns the exit code of what it ran. */
export async function stream(
  session: Session,
  words: readonly string[],
  options: StreamOptions,
  streams: Streams = process,
): Promise<number> {
  const { stdin, stdout } = streams;
  const withTerminal = options.terminal && stdin.isTTY && stdout.isTTY;
  const size = (): { rows: number; cols: number } => ({ rows: stdout.rows, cols: stdout.columns });
  const pty = withTerminal ? { term: process.env["TERM"] ?? "xterm", ...size() } : undefined;
  const channel = await session.open(words, pty);
  const ended = exitCode(channel);
  connectStreams(channel, streams);
  const restore = withTerminal ? takeTerminal(channel, streams, size) : onSignals(session, options);
  try {
    return await ended;
  } finally {
    restore();
    stdin.unpipe(channel);
    stdin.pause();
  }
}

function connectStreams(channel: ClientChannel, { stdin, stdout, stderr }: Streams): void {
  // The command may end without reading all of its stdin.
  channel.on("error", () => undefined);
  stdin.pipe(channel);
  channel.pipe(stdout, { end: false });
  channel.stderr.pipe(stderr, { end: false });
}

/** Every key goes over as it is, Ctrl-C too. Returns what gives the terminal back. */
function takeTerminal(
  channel: ClientChannel,
  { stdin, stdout }: Streams,
  size: () => { rows: number; cols: number },
): () => void {
  const resize = (): void => {
    const { rows, cols } = size();
    channel.setWindow(rows, cols, 0, 0);
  };
  const restore = (): void => {
    stdout.off("resize", resize);
    process.off("exit", restore);
    if (stdin.isRaw) stdin.setRawMode(false);
  };
  stdin.setRawMode(true);
  // Node's raw mode still adds a carriage return to each line, which an editor over there does not expect.
  spawnSync("stty", ["-opost"], { stdio: [stdin, "ignore", "ignore"] });
  stdout.on("resize", resize);
  // Also when this process ends in some other way: a terminal left raw shows nothing of what is typed.
  process.once("exit", restore);
  return restore;
}

function onSignals(session: Session, { onInterrupt }: StreamOptions): () => void {
  let times = 0;
  const handler = (): void => {
    times += 1;
    if (onInterrupt === undefined || times > 2) {
      session.close();
      process.exit(exitCodes.interrupted);
    }
    onInterrupt(times).catch(() => session.close());
  };
  process.on("SIGINT", handler).on("SIGTERM", handler);
  return () => void process.off("SIGINT", handler).off("SIGTERM", handler);
}

/** A command line without words. */
export function requireWords(words: readonly string[]): void {
  const broken = words.find((word) => word.includes("\0"));
  if (broken === undefined) return;
  throw new CliError("an argument holds a NUL character, which no command line can carry", {
    cure: "leave it out",
    exitCode: exitCodes.usage,
  });
}
