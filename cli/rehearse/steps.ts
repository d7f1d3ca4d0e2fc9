import { CliError } from "../errors";
import type { AppDescription } from "./description";
import { collectStaticFiles } from "./keptFiles";
import type { ReleaseName, ReleaseResult, StepName } from "./results";
import { ship, type ShipArgs } from "./ship";
import type { ProgressStore } from "./store";
import type { Watch } from "./watch";
import { type ImageSet, UpFailed, type Variant, variants, type World } from "./world";

export interface RehearsalContext {
  readonly world: World;
  readonly store: ProgressStore;
  readonly description: AppDescription;
  /** Filled by the steps that ship something, whether it went as expected or not. */
  readonly releases: ReleaseResult[];
  /** Makes the sandbox ready: once, whichever step comes first. */
  readonly prepare: (watch: Watch) => Promise<void>;
  /** @default {@link rehearsalLoad} */
  readonly load?: LoadSizes;
}

/** How hard and how long each release is loaded. */
export type LoadSizes = Readonly<Record<ReleaseName, LoadSize>>;

export interface LoadSize {
  readonly requestsPerSecond: number;
  /** The load goes on until this many requests were made. */
  readonly minRequests: number;
  /** How long it goes on before and after the switch at least. @default 1.5 */
  readonly settleSeconds?: number;
}

/** As much as two cores carry beside the host under test: the switch from 1 to 2 is the one that is proven. */
const rehearsalLoad: LoadSizes = {
  "release-1": { requestsPerSecond: 100, minRequests: 200 },
  "release-2": { requestsPerSecond: 150, minRequests: 3000 },
  broken: { requestsPerSecond: 60, minRequests: 500 },
  rollback: { requestsPerSecond: 60, minRequests: 500 },
};

/** Runs one step and returns a remark for the summary. @throws CliError when something else happened than expected. */
export function runStep(context: RehearsalContext, step: StepName, watch: Watch): Promise<string> {
  switch (step) {
    case "provision":
      return provision(context, watch);
    case "build":
      return build(context, watch);
    case "release-1":
      return firstRelease(context, watch);
    case "release-2":
      return shipVariant(context, watch, { name: step, variant: "release-2", expected: "serves" });
    case "broken":
      return shipVariant(context, watch, { name: step, variant: "broken", expected: "refused" });
    case "rollback":
      return shipVariant(context, watch, { name: step, variant: "release-1", expected: "serves" });
  }
}

async function provision({ world, store, prepare }: RehearsalContext, watch: Watch): Promise<string> {
  await prepare(watch);
  if (store.progress.lastRelease === 0) await world.setRelease(0, {});
  try {
    const { changed, unchanged, target } = await watch.measure("pulumi up", () => world.up(watch));
    store.update({ target });
    return changed === 0
      ? `nothing to do: all ${unchanged} resources are as they should be`
      : `${changed} resources changed, ${unchanged} unchanged`;
  } catch (error) {
    if (!(error instanceof UpFailed)) throw error;
    const { cure = "read the log above, put its cause right and run this again", log } = error.details;
    throw new CliError(`the stack could not be provisioned: ${error.message}`, { cure, log });
  }
}

async function build({ world, store, prepare }: RehearsalContext, watch: Watch): Promise<string> {
  const built: Partial<Record<Variant, ImageSet>> = {};
  for (const variant of variants)
    await watch.measure(`images of ${variant}`, () => world.build(variant, watch));
  await watch.measure("wait for the registry", () => prepare(watch));
  for (const variant of variants) {
    built[variant] = await watch.measure(`push ${variant}`, () => world.push(variant, watch));
  }
  store.update({ images: built });
  return "";
}

async function firstRelease(context: RehearsalContext, watch: Watch): Promise<string> {
  const remark = await shipVariant(context, watch, {
    name: "release-1",
    variant: "release-1",
    expected: "serves",
  });
  const { target } = context.store.progress;
  const pages = context.description.requests.static;
  if (target && pages.length > 0) {
    const found = await collectStaticFiles(target, pages);
    const { files } = context.store.progress;
    context.store.update({ files: [...files, ...found] });
    watch.log(`${files.length + found.length} uploads and static files have to outlive this release`);
  }
  return remark;
}

async function shipVariant(
  { world, store, description, releases, load = rehearsalLoad }: RehearsalContext,
  watch: Watch,
  { variant, ...args }: Omit<ShipArgs, "images" | keyof LoadSize> & { readonly variant: Variant },
): Promise<string> {
  const images = store.progress.images[variant];
  if (!images) {
    throw new CliError(`the images of "${variant}" are not built`, {
      cure: "run `slipway rehearse --only build` first, or the whole rehearsal without --only",
    });
  }
  if (args.name !== "release-1" && store.progress.serving === null) {
    throw new CliError(`"${args.name}" needs a release that serves`, {
      cure: "run `slipway rehearse --only release-1` first, or the whole rehearsal without --only",
    });
  }
  const context = { world, store, description, watch };
  const shipped = await ship(context, { ...args, ...load[args.name], images });
  releases.push(shipped.result);
  if (shipped.error) throw shipped.error;
  return shipped.remark;
}
