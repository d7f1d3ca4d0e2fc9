import type { KeptReceipt } from "../../components/release/day2";
import { table } from "../table";
import { minute } from "./statusView";

/** What `slipway releases` prints for people: the newest first. */
export function releasesView(
  receipts: readonly KeptReceipt[],
  serving: number | undefined,
  limit: number,
): string {
  if (receipts.length === 0) return "nothing was shipped yet";
  const shown = receipts.slice(-limit).reverse();
  const last = receipts.findLastIndex(({ result, release }) => result === "released" && release === serving);
  const rows = shown.map((receipt) => [
    String(receipt.release),
    minute(receipt.at),
    resultOf(receipt, receipts.indexOf(receipt) === last),
    seconds(receipt),
    migrations(receipt),
    receipt.local ? "yes" : "-",
    digests(receipt),
  ]);
  const lines = [table([["release", "ended", "result", "seconds", "migrations", "here", "images"], ...rows])];
  if (receipts.length > shown.length) lines.push(`${receipts.length - shown.length} earlier ones: --limit`);
  lines.push("here: going back to it fetches nothing");
  return lines.join("\n");
}

function resultOf(receipt: KeptReceipt, serves: boolean): string {
  if (receipt.result === "failed") return `failed: ${receipt.code}`;
  return serves ? "serves" : receipt.result;
}

function seconds(receipt: KeptReceipt): string {
  if (receipt.result === "restored") return receipt.secondsAway.toFixed(1);
  // That of a release which was finished by the next run has none.
  const all = Object.values(receipt.seconds ?? {});
  return all.length === 0 ? "-" : all.reduce((sum, part) => sum + part, 0).toFixed(1);
}

function migrations(receipt: KeptReceipt): string {
  if (receipt.result === "failed" || receipt.result === "restored") return "-";
  const { applied, kept = [] } = receipt.migrations;
  const words = [
    ...(applied.length > 0 ? [`${applied.length} applied`] : []),
    ...(kept.length > 0 ? [`${kept.length} kept`] : []),
  ];
  return words.join(", ") || "-";
}

/** `web 0123456789ab`: the digest is what tells two images of one repository apart. */
function digests(receipt: KeptReceipt): string {
  if (receipt.result === "restored") return `data of ${minute(receipt.backup.at)}`;
  return Object.entries(receipt.images)
    .map(([name, reference]) => `${name} ${/@sha256:([0-9a-f]{8})/.exec(reference)?.[1] ?? reference}`)
    .join(", ");
}
