import { table } from "../table";
import type { RehearsalResult } from "./results";

const partsPerStep = 4;
/** Parts shorter than this, in seconds, tell nobody where the time goes. */
const shortestPart = 0.5;

/** The tables at the end of a rehearsal: what each step came to, where its time went, what the load client saw. */
export function summary(result: RehearsalResult): string {
  const sections = [steps(result)];
  if (result.releases.length > 0) sections.push(releases(result));
  return sections.join("\n\n");
}

function steps({ steps: results, spans, seconds }: RehearsalResult): string {
  const rows = results.map(({ name, ok, seconds: taken, remark }) => {
    const parts = spans
      .filter(({ step, seconds: part }) => step === name && part >= shortestPart)
      .sort((a, b) => b.seconds - a.seconds)
      .slice(0, partsPerStep)
      .map(({ part, seconds: partSeconds }) => `${part} ${partSeconds.toFixed(1)}`);
    return [
      name,
      ok ? "ok" : "FAILED",
      `${taken.toFixed(1)} s`,
      [remark, parts.join(", ")].filter(Boolean).join("; "),
    ];
  });
  const removal = spans.filter(({ step }) => step === "removal");
  const removed = removal.reduce((sum, span) => sum + span.seconds, 0);
  return table([
    ["step", "", "time", "where it went (seconds)"],
    ...rows,
    ...removal.map(({ seconds: taken }) => ["removal", "", `${taken.toFixed(1)} s`, ""]),
    ["total", "", `${(seconds + removed).toFixed(1)} s`, ""],
  ]);
}

function releases({ releases: results }: RehearsalResult): string {
  const rows = results.map(({ name, expected, ok, secondsToServe, requests, failed, longestGapMs }) => [
    name,
    expected,
    ok ? "ok" : "FAILED",
    secondsToServe === null ? "-" : `${secondsToServe.toFixed(1)} s`,
    String(requests),
    String(failed),
    `${longestGapMs} ms`,
  ]);
  return table([["release", "expected", "", "serves after", "requests", "failed", "longest gap"], ...rows]);
}
