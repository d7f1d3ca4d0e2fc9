// The process in which a program runs: started by up.ts, which tells it over IPC what to do.
import { runStack, type ProgramOptions } from "./program";
import { resources } from "./resources";
import type { ChildMessage, ChildOrder } from "./up";

const interruption = new AbortController();

function tell(message: ChildMessage): void {
  if (process.connected) process.send?.(message);
}

function interrupt(): void {
  // The second one does not wait for what is under way.
  if (interruption.signal.aborted) process.exit(130);
  interruption.abort();
}

process.on("SIGINT", interrupt);
process.on("SIGTERM", interrupt);
const abandon = (): void => interruption.abort();
process.once("disconnect", abandon);

process.on("message", (order: ChildOrder) => {
  if (order.kind === "interrupt") interruption.abort();
  else run(order.options);
});

function run(options: ProgramOptions): void {
  const { provider, lookUp } = resources(options, (line) => {
    tell({ event: { kind: "log", source: "sandbox", line } });
  });
  runStack(options, {
    provider,
    lookUp,
    signal: interruption.signal,
    onEvent: (event) => tell({ event }),
  })
    .then((result) => {
      tell({ result });
      process.exitCode = result.ok ? 0 : 1;
    })
    .catch((error: unknown) => {
      tell({ error: error instanceof Error ? error.message : String(error) });
      process.exitCode = 1;
    })
    .finally(() => {
      process.off("disconnect", abandon);
      // A body may hold handles open, so the process is ended once its messages are through.
      if (!process.connected) process.exit();
      process.once("disconnect", () => process.exit());
      process.disconnect();
    });
}
