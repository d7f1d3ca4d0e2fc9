import type { LoadFailure, LoadReport } from "./plan";

/** One request as the client saw it; times are milliseconds of one monotonic clock. */
export interface Sample {
  readonly kind: "page" | "slow" | "upload";
  readonly startedAt: number;
  readonly endedAt: number;
  /** Number in the release header, when there was one. */
  readonly release?: number;
  /** Why the request failed; absent when it did not. */
  readonly failure?: string;
  readonly reconnected?: boolean;
}

export interface LedgerArgs {
  readonly from: number | null;
  readonly to: number;
  readonly expected: "serves" | "refused";
}

/**
 * A graceful reload starts the new configuration before it stops the old one: for this long after the first
 * answer of the new release, in milliseconds, a request may still be taken by the old one.
 */
export const overlapMs = 50;

/** Keeps the books of one load: pure, so that every rule can be tested without a server. */
export class Ledger {
  private requests = 0;
  private failed = 0;
  private reconnects = 0;
  private longestGapMs = 0;
  private lastSuccessAt: number | undefined;
  private markedAt: number | undefined;
  private firstNewAt: number | undefined;
  private closedAt = Infinity;
  private readonly failures = new Map<string, { count: number; firstAt: number }>();
  private readonly answers = new Map<number, number>();
  private readonly slow: Sample[] = [];

  constructor(
    private readonly args: LedgerArgs,
    private readonly startedAt: number,
  ) {}

  get count(): number {
    return this.requests;
  }

  /** Whether the new release has answered. */
  get switched(): boolean {
    return this.firstNewAt !== undefined;
  }

  /** The release starts now: `secondsToServe` counts from here. */
  mark(now: number): void {
    this.markedAt = now;
  }

  /** No request starts after this: what is in flight still counts, the silence after it does not. */
  close(now: number): void {
    this.closedAt = now;
    // An outage that lasts until the end has no success behind it.
    if (this.args.from !== null || this.switched) this.gap(now);
  }

  /** Samples have to arrive in the order in which they ended. */
  add(sample: Sample): void {
    const failure = sample.failure ?? this.wrongRelease(sample);
    if (this.args.from === null && !this.switched && failure !== undefined) {
      return; // Nothing serves before the first release: there is nothing that could fail.
    }
    this.requests += 1;
    if (sample.reconnected) this.reconnects += 1;
    if (failure !== undefined) {
      this.fail(failure, sample.endedAt);
      return;
    }
    const release = sample.release as number;
    this.answers.set(release, (this.answers.get(release) ?? 0) + 1);
    if (release === this.args.to && this.firstNewAt === undefined) {
      this.firstNewAt = sample.endedAt;
      if (this.args.from === null) this.lastSuccessAt = sample.endedAt;
    }
    if (sample.kind === "slow") this.slow.push(sample);
    this.gap(Math.min(sample.endedAt, this.closedAt));
    this.lastSuccessAt = sample.endedAt;
  }

  report(): Omit<LoadReport, "uploads"> {
    const began = this.markedAt ?? this.startedAt;
    const failures: LoadFailure[] = [...this.failures].map(([reason, { count, firstAt }]) => ({
      reason,
      count,
      firstAtSeconds: round((firstAt - began) / 1000),
    }));
    return {
      requests: this.requests,
      failed: this.failed,
      failures: failures.sort((a, b) => a.firstAtSeconds - b.firstAtSeconds),
      longestGapMs: Math.round(this.longestGapMs),
      secondsToServe: this.firstNewAt === undefined ? null : round((this.firstNewAt - began) / 1000),
      slowAcrossSwitch: this.slow.filter((sample) => this.acrossSwitch(sample)).length,
      reconnects: this.reconnects,
      answers: Object.fromEntries(this.answers),
    };
  }

  private gap(now: number): void {
    this.longestGapMs = Math.max(this.longestGapMs, now - (this.lastSuccessAt ?? this.startedAt));
  }

  private acrossSwitch(sample: Sample): boolean {
    const at = this.firstNewAt;
    return at !== undefined && sample.startedAt < at && at < sample.endedAt;
  }

  private fail(reason: string, at: number): void {
    this.failed += 1;
    const known = this.failures.get(reason);
    if (known) known.count += 1;
    else this.failures.set(reason, { count: 1, firstAt: at });
  }

  private wrongRelease(sample: Sample): string | undefined {
    const { from, to, expected } = this.args;
    if (sample.release === undefined) return "the answer names no release";
    if (sample.release === to) {
      return expected === "refused" ? `release ${to} answered, though it was to be refused` : undefined;
    }
    if (sample.release !== from) {
      return `release ${sample.release} answered, expected ${from === null ? to : `${from} or ${to}`}`;
    }
    if (this.firstNewAt !== undefined && sample.startedAt > this.firstNewAt + overlapMs) {
      return `release ${from} answered a request that was made after release ${to} had taken over`;
    }
    return undefined;
  }
}

function round(seconds: number): number {
  return Math.round(seconds * 100) / 100;
}
