import { docker } from "./docker";
import type { Sandbox } from "./sandbox";
import { freeAddress } from "./subnets";
import { packTar, type TarFile } from "./tar";

/** A container of a sandbox as its labels and Docker describe it. */
export interface Member {
  readonly id: string;
  readonly role: string;
  readonly container: string;
  readonly running: boolean;
  /** It ran and does not any more, which is not the same as not having been started yet. */
  readonly stopped: boolean;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Addresses {
  readonly publicAddress: string;
  readonly privateAddress?: string;
}

export interface CreateArgs {
  readonly role: string;
  readonly id: string;
  readonly container: string;
  readonly image: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Address on the public network. @default the lowest free one */
  readonly address?: string;
  /** A Docker network beside the public one. */
  readonly privateNetwork?: string;
  readonly flags?: readonly string[];
  readonly command?: readonly string[];
  /** Files put into the container before it starts. They may depend on the addresses it got. */
  readonly files?: (addresses: Addresses) => Promise<readonly TarFile[]> | readonly TarFile[];
}

interface Inspected {
  readonly Name: string;
  readonly State: { readonly Running: boolean; readonly Status: string };
  readonly Config: { readonly Labels: Readonly<Record<string, string>> };
}

/** The containers that carry all of these labels. */
export async function inspectMembers(labels: readonly string[]): Promise<Member[]> {
  const filters = labels.flatMap((label) => ["--filter", `label=${label}`]);
  const ids = (await docker(["ps", "-aq", "--no-trunc", ...filters])).split("\n").filter((id) => id !== "");
  // One by one: a container that goes away in between must not spoil the answer about the others.
  const texts = await Promise.all(ids.map((id) => docker(["container", "inspect", id]).catch(() => "[]")));
  return texts
    .flatMap((text) => JSON.parse(text) as Inspected[])
    .map((one) => ({
      id: one.Config.Labels["slipway.id"] ?? "",
      role: one.Config.Labels["slipway.role"] ?? "",
      container: one.Name.replace(/^\//, ""),
      running: one.State.Running,
      stopped: one.State.Status === "exited",
      labels: one.Config.Labels,
    }));
}

/** Creates, fills and starts a container of the sandbox. What fails halfway leaves nothing behind. */
export async function createContainer(sandbox: Sandbox, args: CreateArgs): Promise<Addresses> {
  // An address is taken as soon as Docker lists the container that carries it.
  const addresses = await sandbox.exclusive(async () => {
    const chosen = await chooseAddresses(sandbox, args);
    await docker(createArgs(sandbox, args, chosen));
    return chosen;
  });
  try {
    if (args.privateNetwork !== undefined && addresses.privateAddress !== undefined) {
      await docker([
        "network",
        "connect",
        "--ip",
        addresses.privateAddress,
        args.privateNetwork,
        args.container,
      ]);
    }
    const files = (await args.files?.(addresses)) ?? [];
    if (files.length > 0) await docker(["cp", "-", `${args.container}:/`], { input: packTar(files) });
    await docker(["start", args.container]);
    return addresses;
  } catch (error) {
    await docker(["rm", "-f", "-v", args.container]).catch(() => undefined);
    throw error;
  }
}

async function chooseAddresses(sandbox: Sandbox, args: CreateArgs): Promise<Addresses> {
  const used = new Set<string>();
  for (const { labels } of await sandbox.members()) {
    for (const key of ["slipway.public", "slipway.private"]) used.add(labels[key] ?? "");
  }
  const free = async (network: string) => freeAddress(await sandbox.range(network), used);
  return {
    publicAddress: args.address ?? (await free(sandbox.network)),
    privateAddress: args.privateNetwork === undefined ? undefined : await free(args.privateNetwork),
  };
}

function createArgs(sandbox: Sandbox, args: CreateArgs, addresses: Addresses): string[] {
  const labels: Record<string, string> = {
    "slipway.sandbox": sandbox.name,
    "slipway.role": args.role,
    "slipway.id": args.id,
    "slipway.public": addresses.publicAddress,
    ...(addresses.privateAddress === undefined ? {} : { "slipway.private": addresses.privateAddress }),
    ...args.labels,
  };
  return [
    ...["create", "--name", args.container, "--network", sandbox.network, "--ip", addresses.publicAddress],
    ...Object.entries(labels).flatMap(([key, value]) => ["--label", `${key}=${value}`]),
    ...(args.flags ?? []),
    args.image,
    ...(args.command ?? []),
  ];
}
