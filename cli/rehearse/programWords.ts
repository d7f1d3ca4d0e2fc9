import { findFailedReceipt } from "../../components/release/receipt";
import type { EngineEvent, ProgramResult } from "../sandbox/up";
import { UpFailed } from "./world";

const lastLines = 15;

/** One line for an event of the program's run, or nothing when it tells nobody anything. */
export function describe(event: EngineEvent): string | undefined {
  switch (event.kind) {
    case "started":
      return `${event.operation} ${event.name} [${event.type}]`;
    case "resource":
      return event.action === "unchanged"
        ? undefined
        : `${event.action} ${event.name} in ${event.seconds.toFixed(1)} s`;
    case "failed":
      return `failed ${event.name}: ${cause(event.message).first}`;
    case "log":
      return event.line;
  }
}

/** What is known of a run that failed: the receipt of the host when there is one, otherwise what was said last. */
export function toFailure(result: ProgramResult, said: readonly string[]): UpFailed {
  const text = result.error ?? "the program failed and gave no reason";
  const receipt = findFailedReceipt(text);
  if (receipt) {
    return new UpFailed(receipt.message, {
      code: receipt.code,
      seconds: receipt.seconds,
      cure: receipt.cure,
      log: { title: `the host's log of release ${receipt.release}`, text: receipt.log.join("\n") },
    });
  }
  const { first, rest } = cause(text);
  // What the script said is nearer to the cause than what the program says after it.
  const log =
    rest === ""
      ? { title: "the program said", text: said.slice(-lastLines).join("\n") }
      : { title: "it said", text: rest };
  return new UpFailed(first, { log });
}

/**
 * The first line of a failure, and what came with it. A command that failed on the host prints the whole of its
 * constant line first, which says nothing about the cause.
 */
function cause(text: string): { first: string; rest: string } {
  const receipt = findFailedReceipt(text);
  if (receipt) return { first: receipt.message, rest: "" };
  const script =
    /^(?:(".*?") \[command:remote:Command\]: )?Process exited with status (\d+): running ".*?":\n?([^]*)$/.exec(
      text,
    );
  if (script)
    return {
      first: `${script[1] ?? "its script"} ended with status ${script[2]} on the host`,
      rest: script[3] ?? "",
    };
  const [first = text, ...rest] = text.split("\n");
  return { first, rest: rest.join("\n") };
}
