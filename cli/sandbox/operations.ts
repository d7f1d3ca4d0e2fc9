import type { EngineEvent, FailedEvent, ResourceIdentity } from "./events";

/** What an engine has under way, what of it failed, and whether anything more may begin. */
export class Operations {
  readonly failures: FailedEvent[] = [];
  private readonly underWay = new Set<Promise<unknown>>();
  private readonly abort = new AbortController();
  private stopped = false;
  private halt: () => void = () => undefined;
  /** Resolves when something has failed or the run is to end: nothing new begins from then on. */
  readonly halted = new Promise<void>((resolve) => {
    this.halt = resolve;
  });

  constructor(private readonly onEvent: (event: EngineEvent) => void) {}

  get signal(): AbortSignal {
    return this.abort.signal;
  }

  get interrupted(): boolean {
    return this.abort.signal.aborted;
  }

  /** Begins nothing new, and asks what is under way to break off. */
  interrupt(): void {
    this.abort.abort();
    this.halt();
  }

  /** Begins nothing new, and lets what is under way end. */
  stop(): void {
    this.stopped = true;
    this.halt();
  }

  /** Throws when nothing more may begin. */
  refuseWhenHalted(): void {
    const [first] = this.failures;
    if (this.interrupted) throw new Error("not begun: the run was interrupted");
    if (first) throw new Error(`not begun: "${first.name}" [${first.type}] failed before`);
    if (this.stopped) throw new Error("not begun: the program failed before");
  }

  async track<T>(who: ResourceIdentity, started: number, work: Promise<T>): Promise<T> {
    this.underWay.add(work);
    try {
      return await work;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const failure: FailedEvent = { kind: "failed", ...who, message, seconds: secondsSince(started) };
      this.failures.push(failure);
      this.onEvent(failure);
      this.halt();
      throw error;
    } finally {
      this.underWay.delete(work);
    }
  }

  /** Resolves when nothing is under way any more. */
  async idle(): Promise<void> {
    while (this.underWay.size > 0) await Promise.allSettled(this.underWay);
  }
}

export function secondsSince(started: number): number {
  return (Date.now() - started) / 1000;
}
