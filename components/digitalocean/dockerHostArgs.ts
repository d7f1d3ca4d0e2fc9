import type * as digitalocean from "@pulumi/digitalocean";
import type * as pulumi from "@pulumi/pulumi";
import type { Problem } from "../app/problem";
import { validatePrivateKey } from "../release/deployKey";
import { validateAuthorizedKey } from "../release/hostKey";
import type { PrefetchArgs } from "./dataVolume";
import { validateGenerations, validateHostKeyGenerations } from "./machineKeys";

/** Arguments of a {@link DockerHost}. */
export interface DockerHostArgs {
  /** DigitalOcean region, such as `fra1`. Another one replaces the machine. */
  readonly region: string;
  /** Droplet size. A change powers the machine off and on. @default "s-1vcpu-2gb", 12 USD a month */
  readonly size?: string;
  /** Image of a new machine; a running one keeps its own until `generation` counts up. @default "debian-13-x64" */
  readonly image?: string;
  /** An existing VPC of the same region. Another one replaces the machine. @default a VPC of its own */
  readonly vpcUuid?: pulumi.Input<string>;
  /** Networks that may reach port 22, in CIDR notation. @default everywhere: there is no password to guess */
  readonly sshFrom?: readonly string[];
  /** Public keys that may log in as `deploy`, besides the deploy key. Reconciled over SSH. @default none */
  readonly authorizedKeys?: readonly pulumi.Input<string>[];
  /**
   * The private key that deployments log in with. To change it, update once with the public half of the new one in
   * `authorizedKeys`, then set it here. @default an ed25519 key made here, kept in the state as a secret
   */
  readonly deployPrivateKey?: pulumi.Input<string>;
  /**
   * Generations of the deploy key that is made here: all may log in, and deployments use the first, unless
   * `deployPrivateKey` is given. For a new key `[1, 2]`, update, then `[2]`, update. @default [1], and none beside `deployPrivateKey`
   */
  readonly deployKeyGenerations?: readonly number[];
  /**
   * Generations of the host key: all are shown by the machine, and connections are pinned to the first. For a new key
   * `[1, 2]`, update, then `[2]`, update. Odd ones are ed25519, even ones ECDSA P-256. @default [1]
   */
  readonly hostKeyGenerations?: readonly number[];
  /**
   * Counts up by one for another machine, with the size, image and keys that are set now: it is made and gets the
   * release before the old one goes. Replaces the machine, and what is on its own disk is lost. @default 1
   */
  readonly generation?: number;
  /** DigitalOcean's monitoring agent. A change replaces the machine. @default true */
  readonly monitoring?: boolean;
  /** Weekly backups of the machine, for 20 % of its price. @default false */
  readonly backups?: boolean;
  /** Size of a volume for what must outlive the machine, in GiB, 1 to 16384. It can only grow. @default no volume */
  readonly mediaVolumeGib?: number;
  /** Images that a new machine fetches before the data volume moves to it, which makes the gap shorter. @default none */
  readonly prefetch?: readonly PrefetchArgs[];
  /**
   * The reserved address that moves from one generation to the next. A new machine without a data volume fetches the
   * edge's certificates from the one that still answers there, over SSH. @default none: it asks for new ones
   */
  readonly reachedAt?: pulumi.Input<string>;
  /** Swap file in MiB; 0 for none. @default 1024 */
  readonly swapMib?: number;
  /** Further tags of the droplet. @default none */
  readonly tags?: readonly string[];
  /** Whether the data volume is protected from deletion. @default true */
  readonly protect?: boolean;
  /** Merged last into the droplet's arguments. @default nothing */
  readonly overrides?: { readonly droplet?: Partial<digitalocean.DropletArgs> };
}

const cidr = /^(\d{1,3}(\.\d{1,3}){3}\/\d{1,2}|[0-9a-fA-F:]*:[0-9a-fA-F:]*\/\d{1,3})$/;

/** Every problem of the arguments that shows before the first resource. */
export function validateDockerHostArgs(args: DockerHostArgs): Problem[] {
  const problems: Problem[] = [];
  const check = (ok: boolean, path: string, received: unknown, accepted: string, cure: string): void => {
    if (!ok) problems.push({ path, received: JSON.stringify(received) ?? "nothing", accepted, cure });
  };
  check(
    /^[a-z]{3}\d$/.test(args.region),
    "region",
    args.region,
    "a slug such as `fra1`",
    "list them: doctl compute region list",
  );
  const slug = /^[a-z0-9][a-z0-9.-]*$/;
  for (const key of ["size", "image"] as const) {
    const value = args[key];
    const list = key === "size" ? "doctl compute size list" : "doctl compute image list --public";
    check(
      value === undefined || slug.test(value),
      key,
      value,
      "a slug of DigitalOcean",
      `list them: ${list}`,
    );
  }
  args.sshFrom?.forEach((network, index) =>
    check(
      cidr.test(network),
      `sshFrom[${index}]`,
      network,
      "a network such as `203.0.113.7/32`",
      "a single address ends in /32",
    ),
  );
  check(
    args.sshFrom === undefined || args.sshFrom.length > 0,
    "sshFrom",
    args.sshFrom,
    "at least one network",
    "deployments come in over SSH: name the network that they come from, or leave the key out",
  );
  args.authorizedKeys?.forEach((key, index) => {
    if (typeof key === "string") problems.push(...validateAuthorizedKey(`authorizedKeys[${index}]`, key));
  });
  if (typeof args.deployPrivateKey === "string") {
    problems.push(...validatePrivateKey("deployPrivateKey", args.deployPrivateKey));
  }
  const whole = (value: number | undefined, low: number, high: number): boolean =>
    value === undefined || (Number.isInteger(value) && value >= low && value <= high);
  check(
    whole(args.mediaVolumeGib, 1, 16384),
    "mediaVolumeGib",
    args.mediaVolumeGib,
    "a whole number from 1 to 16384",
    "leave it out for no volume",
  );
  check(
    whole(args.swapMib, 0, 65536),
    "swapMib",
    args.swapMib,
    "a whole number from 0 to 65536",
    "0 means no swap file",
  );
  check(
    whole(args.generation, 1, Number.MAX_SAFE_INTEGER),
    "generation",
    args.generation,
    "a whole number from 1",
    "count it up by one for another machine",
  );
  problems.push(
    ...validateGenerations("deployKeyGenerations", args.deployKeyGenerations),
    ...validateHostKeyGenerations("hostKeyGenerations", args.hostKeyGenerations),
  );
  args.tags?.forEach((tag, index) =>
    check(
      /^[A-Za-z0-9:_-]{1,255}$/.test(tag),
      `tags[${index}]`,
      tag,
      "letters, digits, `:`, `-` and `_`",
      "rename the tag",
    ),
  );
  return problems;
}
