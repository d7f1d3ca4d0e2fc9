/** A part of a step and how long it took. */
export interface Span {
  readonly step: string;
  readonly part: string;
  readonly seconds: number;
}

/** Who watches a step: hears its lines, measures its parts, and may ask it to break off. */
export interface Watch {
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
  /** Runs a part of the step and notes how long it took, also when it fails. */
  readonly measure: <T>(part: string, work: () => Promise<T>) => Promise<T>;
  /** Notes a part that was measured elsewhere. */
  readonly note: (part: string, seconds: number) => void;
}

/** Where the time of a whole rehearsal went. */
export class TimeBook {
  readonly spans: Span[] = [];

  watch(step: string, signal: AbortSignal, log: (line: string) => void): Watch {
    const note = (part: string, seconds: number): void => void this.spans.push({ step, part, seconds });
    return {
      signal,
      log,
      note,
      measure: async (part, work) => {
        const started = Date.now();
        try {
          return await work();
        } finally {
          note(part, secondsSince(started));
        }
      },
    };
  }
}

export function secondsSince(startedMs: number): number {
  return Math.round((Date.now() - startedMs) / 10) / 100;
}
