import { CliError, exitCodes } from "../errors";
import type { Progress, ProgressStep } from "./progress";
import type { RehearsalResult, ReleaseResult, StepName, StepResult } from "./results";
import { type RehearsalContext, runStep } from "./steps";
import { secondsSince, TimeBook } from "./watch";

export interface RehearsalRun {
  readonly result: Omit<RehearsalResult, "urls">;
  /** Why it stopped before its end. */
  readonly error?: CliError;
}

export interface RehearsalOptions {
  readonly steps: readonly StepName[];
  readonly progress: Progress;
  /** Aborted by Ctrl-C. */
  readonly interrupt: AbortSignal;
  /** Takes every line that a step says, for the log file. */
  readonly log: (line: string) => void;
}

/** Runs the steps one after the other, the build beside the provisioning; stops at the first that goes wrong. */
export class Rehearsal {
  private readonly times = new TimeBook();
  private readonly results: StepResult[] = [];
  private readonly releases: ReleaseResult[] = [];
  private readonly underWay: Promise<unknown>[] = [];
  private readonly stop = new AbortController();
  private firstError: CliError | undefined;

  constructor(
    private readonly context: Omit<RehearsalContext, "releases">,
    private readonly options: RehearsalOptions,
  ) {}

  /** Never rejects because a step failed: the result says so. */
  async run(): Promise<RehearsalRun> {
    const { progress, interrupt, steps } = this.options;
    const started = Date.now();
    const onInterrupt = (): void => this.stop.abort();
    interrupt.addEventListener("abort", onInterrupt);
    try {
      await progress(this.groups());
    } catch (error) {
      // Only what is not a step's own failure is new here.
      this.firstError ??= asCliError(steps[0] ?? "provision", error);
    } finally {
      // A step that runs beside the one that failed would otherwise go on making what is about to be removed.
      await Promise.allSettled(this.underWay);
      interrupt.removeEventListener("abort", onInterrupt);
    }
    const result = {
      steps: this.results.sort((a, b) => steps.indexOf(a.name) - steps.indexOf(b.name)),
      releases: this.releases,
      spans: this.times.spans,
      seconds: secondsSince(started),
    };
    return { result, error: this.firstError };
  }

  private groups(): ProgressStep[][] {
    const { steps } = this.options;
    const beside = steps.filter((step) => step === "provision" || step === "build");
    const after = steps.filter((step) => step !== "provision" && step !== "build");
    return [beside, ...after.map((step) => [step])].map((group) => group.map((step) => this.step(step)));
  }

  private step(step: StepName): ProgressStep {
    return {
      title: step,
      run: (log) => {
        const running = this.runOne(step, log);
        this.underWay.push(running);
        return running;
      },
    };
  }

  private async runOne(step: StepName, show: (line: string) => void): Promise<void> {
    const { interrupt } = this.options;
    const started = Date.now();
    const log = (line: string): void => {
      this.options.log(`${step}: ${line}`);
      show(line);
    };
    const note = (ok: boolean, remark: string): void =>
      void this.results.push({ name: step, ok, seconds: secondsSince(started), remark });
    try {
      if (this.stop.signal.aborted) throw interrupted();
      const context = { ...this.context, releases: this.releases };
      const remark = await runStep(context, step, this.times.watch(step, this.stop.signal, log));
      if (interrupt.aborted) throw interrupted();
      if (remark !== "") log(remark);
      note(true, remark);
    } catch (caught) {
      const error = interrupt.aborted ? interrupted() : asCliError(step, caught);
      this.firstError ??= error;
      note(false, this.firstError === error ? "" : "broken off");
      this.options.log(`${step}: failed: ${caught instanceof Error ? caught.stack : String(caught)}`);
      this.stop.abort();
      throw error;
    }
  }
}

/** What no step foresaw: the first line says what failed, the others are its log. The log file has the stack. */
function asCliError(step: StepName, caught: unknown): CliError {
  if (caught instanceof CliError) return caught;
  const [first = "", ...rest] = (caught instanceof Error ? caught.message : String(caught)).split("\n");
  const log = rest.length > 0 ? { title: "it said", text: rest.join("\n") } : undefined;
  return new CliError(`${step}: ${first}`, { cure: "put its cause right and run this again", log });
}

export function interrupted(): CliError {
  return new CliError("interrupted", {
    cure: "run it again; what is left of this run is said below",
    exitCode: exitCodes.interrupted,
  });
}
