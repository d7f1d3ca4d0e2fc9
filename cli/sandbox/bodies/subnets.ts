import { createHash } from "node:crypto";

/** An IPv4 range such as 10.200.7.0/24, as numbers. */
export interface Range {
  readonly first: number;
  readonly size: number;
}

/** Where an address of a sandbox's public network comes from: the last byte tells what it is for. */
export const reservedFirst = 200;
export const reservedLast = 249;
const firstMember = 10;

export function parseRange(text: string): Range {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(text.trim());
  const numbers = (match ?? []).slice(1).map(Number);
  const [a = 256, b = 256, c = 256, d = 256, bits = 33] = numbers;
  if ([a, b, c, d].some((byte) => byte > 255) || bits > 32) {
    throw new Error(
      `${JSON.stringify(text)} is not an address range; accepted: four numbers and a prefix, as 10.110.0.0/20`,
    );
  }
  const size = 2 ** (32 - bits);
  const address = a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d;
  return { first: address - (address % size), size };
}

export function overlaps(one: Range, other: Range): boolean {
  return one.first < other.first + other.size && other.first < one.first + one.size;
}

/** The n-th address of a range. */
export function addressAt(range: Range, index: number): string {
  const value = range.first + index;
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

/** The lowest address for a droplet or a database that nobody has. */
export function freeAddress(range: Range, used: ReadonlySet<string>): string {
  const last = Math.min(reservedFirst, range.size - 1);
  for (let index = firstMember; index < last; index += 1) {
    const address = addressAt(range, index);
    if (!used.has(address)) return address;
  }
  throw new Error(`the sandbox network has no free address left: it holds ${last - firstMember} machines`);
}

/** Ranges to try for a network, the same order for the same name, so that a sandbox keeps its addresses. */
export function candidates(name: string): string[] {
  const start = createHash("sha256").update(name).digest().readUInt16BE(0);
  return Array.from({ length: 64 }, (_unused, step) => {
    const value = (start + step * 257) % (32 * 256);
    return `10.${200 + Math.floor(value / 256)}.${value % 256}.0/24`;
  });
}

/** The ranges that this machine already has a route for, from the text of /proc/net/route. */
export function routedRanges(table: string): Range[] {
  const rows = table
    .trim()
    .split("\n")
    .slice(1)
    .map((row) => row.split(/\s+/));
  return rows.flatMap((row) => {
    const [destination, mask] = [littleEndian(row[1]), littleEndian(row[7])];
    // The default route covers everything and conflicts with nothing.
    return mask === 0 ? [] : [{ first: destination, size: 2 ** 32 - mask }];
  });
}

function littleEndian(hex: string | undefined): number {
  const bytes =
    /^(..)(..)(..)(..)$/
      .exec(hex ?? "")
      ?.slice(1)
      .reverse() ?? [];
  return Number.parseInt(bytes.join("") || "0", 16);
}
