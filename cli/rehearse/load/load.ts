import { type ChildProcess, fork } from "node:child_process";
import * as path from "node:path";
import type { LoadEnd, LoadPlan, LoadReport } from "./plan";
import type { LoadOrder, LoadWord } from "./process";

/** A load that runs in a process of its own, so that nothing the rehearsal does holds its clients up. */
export interface RunningLoad {
  /** The release starts now. */
  mark(): void;
  /** Goes on until the end is reached and says what was seen. */
  finish(end: LoadEnd): Promise<LoadReport>;
  /** Ends the load without a report. Does nothing when it has ended. */
  kill(): void;
}

/** Starts the clients; resolves when they are running. */
export async function startLoad(plan: LoadPlan): Promise<RunningLoad> {
  const child = fork(path.join(__dirname, "process.ts"), [], {
    execArgv: ["--require", require.resolve("tsx/cjs")],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  const stderr: Buffer[] = [];
  child.stderr?.on("data", (chunk: Buffer) => stderr.push(chunk));
  const tell = (order: LoadOrder): void => void child.send(order);
  const hear = <K extends LoadWord["kind"]>(kind: K): Promise<Extract<LoadWord, { kind: K }>> =>
    waitFor(child, kind, stderr);

  await hear("ready");
  const started = hear("started");
  tell({ kind: "start", plan });
  await started;
  return {
    mark: () => tell({ kind: "mark" }),
    finish: async (end) => {
      const report = hear("report");
      tell({ kind: "finish", end });
      return (await report).report;
    },
    kill: () => void child.kill("SIGKILL"),
  };
}

function waitFor<K extends LoadWord["kind"]>(
  child: ChildProcess,
  kind: K,
  stderr: readonly Buffer[],
): Promise<Extract<LoadWord, { kind: K }>> {
  return new Promise((resolve, reject) => {
    const onMessage = (word: LoadWord): void => {
      if (word.kind !== kind) return;
      child.off("message", onMessage).off("exit", onExit);
      resolve(word as Extract<LoadWord, { kind: K }>);
    };
    const onExit = (code: number | null): void => {
      const tail = Buffer.concat([...stderr])
        .toString("utf8")
        .trim()
        .split("\n")
        .slice(-10)
        .join("\n");
      reject(new Error(`the load client ended early (${code ?? "killed"})${tail ? `:\n${tail}` : ""}`));
    };
    child.on("message", onMessage).on("exit", onExit);
  });
}
