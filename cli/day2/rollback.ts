// Which release a rollback goes back to, and what number it gets. Decided from the host's receipts: they alone know what
// served.
import type { HostStatus, KeptReceipt } from "../../components/release/day2";
import type { Receipt } from "../../components/release/receipt";
import type { ReleaseFile } from "../../components/release/releaseFile";
import { usageError } from "../errors";

export interface RollbackPlan {
  /** The new release. */
  readonly release: number;
  readonly images: Readonly<Record<string, string>>;
  /** The release that had these images. */
  readonly backTo: number;
  /** Migrations of later releases: they stay, and the older code has to work with them. */
  readonly kept: readonly string[];
  /** Whether the host has all the images. */
  readonly local: boolean;
}

export interface RollbackArgs {
  readonly status: Pick<HostStatus, "release" | "app">;
  readonly receipts: readonly KeptReceipt[];
  readonly file: ReleaseFile;
  /** How the file is called when it is told about. */
  readonly fileName: string;
  /** The release to go back to. @default the last good one with other images than the current one */
  readonly to?: number;
}

type Good = Receipt & KeptReceipt;

/** @throws CliError with the cure when it is not clear what to go back to. */
export function planRollback(args: RollbackArgs): RollbackPlan {
  const { status, receipts, file, to } = args;
  const good = receipts.filter((receipt): receipt is Good => receipt.result === "released");
  const serving = status.release;
  if (serving === null) {
    throw usageError(`nothing of ${status.app} serves yet, so there is nothing to go back from`, {
      cure: "ship a release: slipway release set, then pulumi up",
    });
  }
  const target = to === undefined ? lastGood(args, good, serving) : namedRelease(good, to);
  const after = good.slice(good.indexOf(target) + 1);
  return {
    // Later than all that the host and the file know of: a number names one release for ever.
    release: Math.max(serving, file.release, ...receipts.map(({ release }) => release)) + 1,
    images: target.images,
    backTo: target.release,
    kept: after.flatMap(({ migrations }) => migrations.applied),
    local: target.local,
  };
}

function namedRelease(good: readonly Good[], to: number): Good {
  const found = good.findLast(({ release }) => release === to);
  if (found !== undefined) return found;
  const numbers = [...new Set(good.map(({ release }) => release))].slice(-10).join(", ");
  throw usageError(`release ${to} never served on this host`, {
    received: `--to ${to}`,
    accepted: numbers || "none yet",
    cure: "name one of these; slipway releases lists them",
  });
}

function lastGood({ file, receipts, fileName }: RollbackArgs, good: readonly Good[], serving: number): Good {
  const current = good.findLast(({ release }) => release === serving);
  const failed = receipts.some(({ release, result }) => release === file.release && result === "failed");
  if (file.release > serving && failed && current !== undefined) {
    // The newest was refused: what served before it is what still serves.
    return current;
  }
  if (file.release !== serving) {
    const ahead = file.release > serving;
    throw usageError("the release file and the host do not agree on what is current", {
      received: `${fileName} says release ${file.release}, the host runs ${serving}`,
      accepted: "the same number in both, or a release named with --to",
      cure: ahead
        ? "bring the file's release out with pulumi up, or take the file back to what runs; or name the release with --to"
        : "somebody shipped from elsewhere: take the file from there (git pull); or name the release with --to",
    });
  }
  const before = current === undefined ? good : good.slice(0, good.indexOf(current));
  const found = before.findLast(({ images }) => !sameImages(images, current?.images ?? file.images));
  if (found !== undefined) return found;
  throw usageError(`no release with other images served before release ${serving}`, {
    received: good.map(({ release }) => release).join(", ") || "no receipt of a release",
    accepted: "an earlier release with other images",
    cure: "name the images yourself: slipway release set",
  });
}

function sameImages(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

/** What the plan means, in lines. */
export function describePlan({ release, backTo, kept, local, images }: RollbackPlan): string[] {
  return [
    `release ${release}: the images of release ${backTo}${local ? ", which are on the host" : ", which the host fetches again"}`,
    ...Object.entries(images).map(([name, reference]) => `  ${name}  ${reference}`),
    kept.length === 0
      ? "verdict: safe: no migration came after it"
      : `verdict: ${kept.length} later migration${kept.length === 1 ? " stays" : "s stay"} applied; the older code has to work with ${kept.length === 1 ? "it" : "them"}: ${kept.join(", ")}`,
  ];
}
