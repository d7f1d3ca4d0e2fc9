import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "../errors";
import type { AppDescription } from "./description";
import { lostFiles } from "./keptFiles";
import { startLoad } from "./load/load";
import {
  defaultSettleSeconds,
  heldLimitSeconds,
  type LoadPlan,
  type LoadReport,
  type LoadTarget,
} from "./load/plan";
import type { ReleaseName, ReleaseResult } from "./results";
import { servingRelease } from "./serving";
import type { LoadSize } from "./steps";
import type { ProgressStore } from "./store";
import type { Watch } from "./watch";
import { type ImageSet, UpFailed, type World } from "./world";

export interface ShipArgs extends LoadSize {
  readonly name: ReleaseName;
  readonly images: ImageSet;
  readonly expected: "serves" | "refused";
}

export interface ShipContext {
  readonly world: World;
  readonly store: ProgressStore;
  readonly description: AppDescription;
  readonly watch: Watch;
}

const loadEndsWithinSeconds = 60;

export interface Shipped {
  readonly result: ReleaseResult;
  readonly remark: string;
  /** What was not as expected, with the log and the cure. */
  readonly error?: CliError;
}

/** Ships one release under load and judges whether what was expected happened. */
export async function ship(context: ShipContext, args: ShipArgs): Promise<Shipped> {
  const { world, store, watch } = context;
  const target = provisionedTarget(store);
  // Long enough for every client to have a connection and for two slow requests to be under way.
  const { settleSeconds = defaultSettleSeconds } = args;
  const from = await servingRelease(target, context.description.requests.get);
  const to = store.progress.lastRelease + 1;
  const before = await world.containersOnHost();
  await world.setRelease(to, args.images);
  store.update({ lastRelease: to });

  const load = await startLoad(loadPlan(context.description, target, { ...args, from, to }));
  const stopLoad = (): void => load.kill();
  watch.signal.addEventListener("abort", stopLoad);
  try {
    if (from !== null) await watch.measure("load before", () => sleep(settleSeconds * 1000));
    load.mark();
    const failure = await runUp(context);
    if (watch.signal.aborted) throw new Error("broken off");
    if (failure === undefined) store.update({ serving: to });
    watch.log(failure === undefined ? "the release is through" : `refused: ${failure.message}`);
    const surprised = (failure === undefined) !== (args.expected === "serves");
    const end = {
      minRequests: surprised ? 0 : args.minRequests,
      withinSeconds: surprised ? 1 : loadEndsWithinSeconds,
    };
    const report = await watch.measure("load after", () => load.finish(end));
    const shipped = await judge(context, args, { target, from, to, before, failure, report });
    store.update({ files: [...store.progress.files, ...report.uploads] });
    return shipped;
  } finally {
    watch.signal.removeEventListener("abort", stopLoad);
    load.kill();
  }
}

async function runUp({ world, watch }: ShipContext): Promise<UpFailed | undefined> {
  const note = (seconds: Readonly<Record<string, number>> = {}): void => {
    for (const [step, taken] of Object.entries(seconds)) watch.note(`host ${step}`, taken);
  };
  try {
    note((await watch.measure("pulumi up", () => world.up(watch))).seconds);
    return undefined;
  } catch (error) {
    if (!(error instanceof UpFailed)) throw error;
    note(error.details.seconds);
    return error;
  }
}

interface Facts {
  /** The containers on the host before the release. */
  readonly before: readonly string[];
  readonly target: LoadTarget;
  readonly from: number | null;
  readonly to: number;
  readonly failure: UpFailed | undefined;
  readonly report: LoadReport;
}

async function judge(context: ShipContext, args: ShipArgs, facts: Facts): Promise<Shipped> {
  const { report, failure, to } = facts;
  const error =
    args.expected === "serves" ? await judgeServes(context, facts) : await judgeRefused(context, facts);
  const { secondsToServe, requests, failed, longestGapMs } = report;
  const remark =
    args.expected === "serves"
      ? `release ${to} serves`
      : `release ${to} refused${failure?.details.code ? ` (${failure.details.code})` : ""}, ${facts.from} serves on`;
  return {
    result: {
      name: args.name,
      expected: args.expected,
      ok: !error,
      secondsToServe,
      requests,
      failed,
      longestGapMs,
    },
    remark: error ? error.message : remark,
    error,
  };
}

async function judgeServes(context: ShipContext, facts: Facts): Promise<CliError | undefined> {
  const { failure, report, to, target } = facts;
  if (failure) {
    const { cure = "read the log above, put its cause right and run this again", log } = failure.details;
    return new CliError(`release ${to} was to serve, but was refused: ${failure.message}`, { cure, log });
  }
  if (report.secondsToServe === null) {
    return new CliError(`release ${to} went through, but never answered at ${target.url}`, {
      received: `answers by ${Object.keys(report.answers).join(", ") || "no release"}`,
      accepted: `answers whose X-Slipway-Release header is ${to}`,
      cure: "look at the edge of the host: run this again with --keep, then `systemctl status caddy` on it",
    });
  }
  const dropped = droppedRequests(report);
  if (dropped) return dropped;
  const { recreate, requests } = context.description;
  if (facts.from !== null && !recreate && requests.slow && report.slowAcrossSwitch < 2) {
    return new CliError(
      "the load proved less than it has to: too few slow requests were in flight at the switch",
      {
        received: `${report.slowAcrossSwitch} of ${requests.slow}`,
        accepted: "2, so that it is seen whether the old release finishes what it has begun",
        cure: "let rehearse.slow name a path that takes about 2 seconds",
      },
    );
  }
  return lostFiles(target, context.store.progress.files);
}

async function judgeRefused({ world }: ShipContext, facts: Facts): Promise<CliError | undefined> {
  const { failure, report, from, to } = facts;
  if (!failure) {
    return new CliError(`release ${to} answers 500 to its health check, but was let through`, {
      cure: "let health.path name a view that Django answers itself: one that nginx answers says nothing about the app",
    });
  }
  const dropped = droppedRequests(report);
  if (dropped) return dropped;
  if (!report.answers[String(from)]) {
    return new CliError(`release ${from} does not serve any more after ${to} was refused`, {
      received: "no good answer",
      cure: failure.details.cure ?? "run this again with --keep and look at the host",
      log: failure.details.log,
    });
  }
  const left = (await world.containersOnHost()).filter((container) => !facts.before.includes(container));
  if (left.length === 0) return undefined;
  return new CliError(`release ${to} was refused, but containers of it are left on the host`, {
    received: left.join("; "),
    accepted: "none",
    cure: "run this again with --keep and look at `docker ps --all` on the host",
  });
}

function droppedRequests({ failed, requests, failures }: LoadReport): CliError | undefined {
  if (failed === 0) return undefined;
  const text = failures
    .slice(0, 10)
    .map(
      ({ reason, count, firstAtSeconds }) =>
        `${count} x ${reason} (first ${firstAtSeconds} s after the start)`,
    )
    .join("\n");
  return new CliError(`${failed} of ${requests} requests failed`, {
    accepted: "none",
    cure: "run this again with --keep and look at the app's log on the host",
    log: { title: "what failed", text },
  });
}

type ReleasePlan = Pick<LoadPlan, "from" | "to" | "expected" | "requestsPerSecond" | "settleSeconds">;

function loadPlan(
  { requests, recreate }: AppDescription,
  target: LoadTarget,
  release: ReleasePlan,
): LoadPlan {
  const { get: pages, slow, upload, guessed: acceptRedirects } = requests;
  const { from, to, expected, requestsPerSecond, settleSeconds } = release;
  const size = {
    requestsPerSecond,
    settleSeconds,
    ...(recreate && { answerLimitSeconds: heldLimitSeconds }),
  };
  return { target, pages, slow, upload, acceptRedirects, from, to, expected, ...size };
}

function provisionedTarget(store: ProgressStore): LoadTarget {
  const { target } = store.progress;
  if (target) return target;
  throw new CliError("there is no host to ship to", {
    cure: "run `slipway rehearse --only provision` first, or the whole rehearsal without --only",
  });
}
