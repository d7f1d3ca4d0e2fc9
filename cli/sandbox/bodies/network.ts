import { createHash } from "node:crypto";
import { docker, dockerExec } from "./docker";
import { readState, writeState } from "./files";
import type { Sandbox } from "./sandbox";
import { addressAt, reservedFirst, reservedLast } from "./subnets";

export interface VpcArgs {
  readonly name: string;
  /** @default a free range of this machine */
  readonly ipRange?: string;
}

export interface Vpc {
  readonly id: string;
  readonly ipRange: string;
}

const defaultVpc = "default";

/** Makes the private network of that name, or gives the one that is there. A range that this machine already uses
 * is replaced by a free one, said aloud. */
export async function ensureVpc(sandbox: Sandbox, args: VpcArgs): Promise<Vpc> {
  await sandbox.up();
  const id = vpcId(sandbox, args);
  // internal: nothing but the VPC's own machines is reached through it, and no default route leads into it.
  const flags = ["--internal", "--label", `slipway.name=${args.name}`];
  const wanted = args.ipRange === undefined ? [] : [args.ipRange];
  const ipRange = await sandbox.exclusive(() =>
    sandbox.ensureNetwork(networkName(sandbox, id), flags, wanted),
  );
  if (args.ipRange !== undefined && args.ipRange !== ipRange) {
    sandbox.log(`VPC ${args.name}: ${args.ipRange} is in use on this machine, ${ipRange} stands in for it`);
  }
  return { id, ipRange };
}

export async function deleteVpc(sandbox: Sandbox, id: string): Promise<void> {
  const name = networkName(sandbox, id);
  const there = await docker(["network", "inspect", name]).catch(() => undefined);
  if (there !== undefined) await docker(["network", "rm", name]);
}

/** The Docker network of a VPC; without an id that of the default VPC, which every region has. */
export async function vpcNetwork(sandbox: Sandbox, id: string | undefined): Promise<string> {
  const known = id ?? (await ensureVpc(sandbox, { name: defaultVpc })).id;
  const name = networkName(sandbox, known);
  await docker(["network", "inspect", name]).catch(() => {
    throw new Error(`the sandbox ${sandbox.name} has no VPC with the id ${JSON.stringify(known)}`);
  });
  return name;
}

/** Takes an address of the public network out of what droplets get. It leads nowhere until it is assigned. */
export function createReservedIp(sandbox: Sandbox): Promise<string> {
  return sandbox.up().then(() =>
    sandbox.exclusive(async () => {
      const reserved = await readReserved(sandbox);
      const range = await sandbox.range(sandbox.network);
      for (let index = reservedFirst; index <= reservedLast; index += 1) {
        const address = addressAt(range, index);
        if (address in reserved) continue;
        await writeReserved(sandbox, { ...reserved, [address]: null });
        return address;
      }
      throw new Error(
        `the sandbox ${sandbox.name} has no reserved address left: it holds ${reservedLast - reservedFirst + 1}`,
      );
    }),
  );
}

/** Moves the address to a droplet, or takes it from whoever has it. The droplet keeps it over a reboot. */
export function assignReservedIp(
  sandbox: Sandbox,
  address: string,
  dropletId: string | undefined,
): Promise<void> {
  return sandbox.exclusive(async () => {
    const reserved = await readReserved(sandbox);
    if (!(address in reserved))
      throw new Error(`the sandbox ${sandbox.name} has no reserved address ${address}`);
    const holder = reserved[address];
    if (holder === (dropletId ?? null)) return;
    const previous =
      holder === null || holder === undefined ? undefined : await sandbox.find("droplet", holder);
    if (previous !== undefined) await dockerExec(previous.container, networkScript("release", address));
    if (dropletId !== undefined) {
      await dockerExec(
        (await sandbox.get("droplet", dropletId)).container,
        networkScript("reserve", address),
      );
    }
    await writeReserved(sandbox, { ...reserved, [address]: dropletId ?? null });
  });
}

export async function deleteReservedIp(sandbox: Sandbox, address: string): Promise<void> {
  if (!(address in (await readReserved(sandbox)))) return;
  await assignReservedIp(sandbox, address, undefined);
  await sandbox.exclusive(async () => {
    const all = Object.entries(await readReserved(sandbox));
    await writeReserved(sandbox, Object.fromEntries(all.filter(([held]) => held !== address)));
  });
}

type Reserved = Readonly<Record<string, string | null>>;
const reservedFile = "reserved-ips.json";

function readReserved(sandbox: Sandbox): Promise<Reserved> {
  return readState(sandbox, reservedFile, {});
}

function writeReserved(sandbox: Sandbox, reserved: Reserved): Promise<void> {
  return writeState(sandbox, reservedFile, reserved);
}

function networkScript(...args: string[]): string[] {
  return ["sh", "/usr/local/lib/slipway-sandbox/network.sh", ...args];
}

function networkName(sandbox: Sandbox, id: string): string {
  return sandbox.containerName(`vpc-${id}`);
}

// The id follows from what was asked for, so that asking twice gives the same network.
function vpcId(sandbox: Sandbox, args: VpcArgs): string {
  const hex = createHash("sha256")
    .update(JSON.stringify([sandbox.name, args.name, args.ipRange]))
    .digest("hex");
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}
