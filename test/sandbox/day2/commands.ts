// The `slipway` command as somebody types it, on a sandbox of a test.
import { spawn, type ChildProcess } from "node:child_process";
import path from "node:path";

const project = path.resolve(__dirname, "../../..");

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The day-2 commands of the one app in a sandbox. */
export class Commands {
  constructor(private readonly sandbox: string) {}

  start(words: readonly string[]): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
    const child = spawn(process.execPath, this.line(words), { cwd: project });
    return { child, ended: outcome(child) };
  }

  async run(words: readonly string[], stdin = ""): Promise<Ended> {
    const { child, ended } = this.start(words);
    child.stdin?.end(stdin);
    return ended;
  }

  /** The same in a terminal of 30 lines and 97 columns. */
  inTerminal(words: readonly string[]): Promise<Ended> {
    const quoted = [process.execPath, ...this.line(words)].map((word) => `'${word}'`).join(" ");
    return outcome(
      spawn("script", ["-qec", `stty rows 30 cols 97; ${quoted}`, "/dev/null"], { cwd: project }),
    );
  }

  private line([name = "", ...words]: readonly string[]): string[] {
    const bin = path.join(project, "cli/bin/slipway.cjs");
    return [bin, name, "--stack", "staging", "--sandbox", this.sandbox, ...words];
  }
}

function outcome(child: ChildProcess): Promise<Ended> {
  const texts = { stdout: "", stderr: "" };
  child.stdout?.on("data", (chunk: Buffer) => (texts.stdout += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (texts.stderr += chunk.toString()));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, ...texts })));
}
