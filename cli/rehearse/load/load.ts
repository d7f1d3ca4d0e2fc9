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
  const ended = untilEnd(child);
  // Nobody may be waiting when it ends.
  ended.catch(() => undefined);
  const tell = (order: LoadOrder): void => {
    // A process that is gone answers nothing, which `hear` reports.
    if (child.connected) child.send(order, () => undefined);
  };
  const hear = <K extends LoadWord["kind"]>(kind: K): Promise<Extract<LoadWord, { kind: K }>> =>
    Promise.race([firstWord(child, kind), ended]);

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

function firstWord<K extends LoadWord["kind"]>(
  child: ChildProcess,
  kind: K,
): Promise<Extract<LoadWord, { kind: K }>> {
  return new Promise((resolve) => {
    const onMessage = (word: LoadWord): void => {
      if (word.kind !== kind) return;
      child.off("message", onMessage);
      resolve(word as Extract<LoadWord, { kind: K }>);
    };
    child.on("message", onMessage);
  });
}

/** Rejects when the process is gone, with the last lines that it printed. */
function untilEnd(child: ChildProcess): Promise<never> {
  const stderr: Buffer[] = [];
  child.stderr?.on("data", (chunk: Buffer) => stderr.push(chunk));
  return new Promise((_, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      const lines = Buffer.concat(stderr).toString("utf8").trim().split("\n").slice(-10);
      reject(
        new Error(["the load client ended early", `exit ${code ?? "by a signal"}`, ...lines].join("\n")),
      );
    });
  });
}
