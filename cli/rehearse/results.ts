import type { Span } from "./watch";

export const stepNames = ["provision", "build", "release-1", "release-2", "broken", "rollback"] as const;
export type StepName = (typeof stepNames)[number];
export type ReleaseName = Exclude<StepName, "provision" | "build">;

export interface StepResult {
  readonly name: StepName;
  /** What was expected happened. */
  readonly ok: boolean;
  readonly seconds: number;
  /** One line for the summary. */
  readonly remark?: string;
}

export interface ReleaseResult {
  readonly name: ReleaseName;
  readonly expected: "serves" | "refused";
  readonly ok: boolean;
  /** From the start of the release to its first answer; null when it never answered. */
  readonly secondsToServe: number | null;
  readonly requests: number;
  readonly failed: number;
  readonly longestGapMs: number;
}

/** All that a rehearsal found out. */
export interface RehearsalResult {
  readonly steps: readonly StepResult[];
  readonly releases: readonly ReleaseResult[];
  readonly urls: readonly string[];
  readonly spans: readonly Span[];
  /** From the first step to the end, in seconds. Steps may run beside each other. */
  readonly seconds: number;
}

/** The line that `--json` prints: this form is relied upon by scripts. */
export function toJson({ steps, releases, urls }: RehearsalResult): string {
  return JSON.stringify({
    ok: steps.every(({ ok }) => ok),
    steps: steps.map(({ name, ok, seconds }) => ({ name, ok, seconds })),
    releases: releases.map(({ name, expected, ok, secondsToServe, requests, failed, longestGapMs }) => ({
      name,
      expected,
      ok,
      secondsToServe,
      requests,
      failed,
      longestGapMs,
    })),
    urls,
  });
}
