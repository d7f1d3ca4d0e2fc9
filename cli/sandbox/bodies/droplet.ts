import { randomInt } from "node:crypto";
import { existsSync } from "node:fs";
import { authority } from "./authority";
import { DockerError, docker, dockerExec, tail, type DockerOptions } from "./docker";
import { refreshFirewalls } from "./firewall";
import { ensureImage } from "./images";
import { vpcNetwork } from "./network";
import { registryServer } from "./registry";
import type { Sandbox } from "./sandbox";
import type { TarFile } from "./tar";
import { directoryFlags } from "./volume";

export interface DropletArgs {
  readonly name: string;
  /** What cloud-init gets, as it is. */
  readonly userData: string;
  readonly size: string;
  readonly region: string;
  /** Slug of the distribution. Every droplet of the sandbox is Debian 13. */
  readonly image: string;
  /** @default the sandbox's default VPC */
  readonly vpcId?: string;
  readonly tags?: readonly string[];
}

export interface Droplet {
  /** A number, as at DigitalOcean. */
  readonly id: string;
  readonly ipv4Address: string;
  readonly ipv4AddressPrivate: string;
  readonly status: "active";
}

// No --privileged: a machine that is a guest itself does not have every capability to give.
const capabilities = [
  ...[
    "SYS_ADMIN",
    "NET_ADMIN",
    "SYS_PTRACE",
    "MKNOD",
    "SYS_CHROOT",
    "NET_RAW",
    "DAC_READ_SEARCH",
    "SYS_NICE",
  ],
  ...["SYSLOG", "AUDIT_WRITE"],
];

/** Starts a container that is a droplet: systemd, cloud-init with the real user data, sshd, its own Docker. It gives
 * back when the machine runs; waitForBoot waits until cloud-init is done. */
export async function createDroplet(sandbox: Sandbox, args: DropletArgs): Promise<Droplet> {
  await sandbox.up();
  const [image, network, trusted] = await Promise.all([
    ensureImage("droplet", sandbox.log),
    vpcNetwork(sandbox, args.vpcId),
    authority(sandbox),
  ]);
  if (!/^debian-13\b/.test(args.image))
    sandbox.log(`droplet ${args.name}: Debian 13 stands in for the image ${args.image}`);
  const id = String(randomInt(100_000_000, 1_000_000_000));
  const nameServer = await sandbox.nameServer();
  const tags = args.tags ?? [];
  const addresses = await sandbox.create({
    ...{
      role: "droplet",
      id,
      container: sandbox.containerName(`${args.name}-${id}`),
      image,
      privateNetwork: network,
    },
    labels: { "slipway.name": args.name, "slipway.tags": JSON.stringify(tags) },
    flags: dropletFlags(sandbox, args.name),
    files: ({ publicAddress, privateAddress }) => [
      ...seed(args, id),
      ...metadata(args, id, publicAddress, privateAddress ?? ""),
      { path: "etc/slipway-sandbox/resolv.conf", content: `nameserver ${nameServer}\n` },
      { path: `etc/docker/certs.d/${registryServer}/ca.crt`, content: trusted },
    ],
  });
  if (tags.length > 0) await refreshFirewalls(sandbox);
  return {
    id,
    ipv4Address: addresses.publicAddress,
    ipv4AddressPrivate: addresses.privateAddress ?? "",
    status: "active",
  };
}

/** Removes the droplet with its disk. */
export async function deleteDroplet(sandbox: Sandbox, id: string): Promise<void> {
  const member = await sandbox.find("droplet", id);
  if (member === undefined) return;
  await docker(["rm", "-f", "-v", member.container]);
  await refreshFirewalls(sandbox);
}

/** Waits until cloud-init is done. An error carries the tail of its log. */
export async function waitForBoot(sandbox: Sandbox, id: string, timeoutSeconds = 120): Promise<void> {
  const { container } = await sandbox.get("droplet", id);
  const script =
    "until [ -e /run/cloud-init/cloud-id ]; do sleep 0.1; done; cloud-init status --wait --format json";
  try {
    await dockerExec(container, ["timeout", String(timeoutSeconds), "sh", "-c", script]);
  } catch (error) {
    if (!(error instanceof DockerError)) throw error;
    const log = await dockerExec(container, ["tail", "-n", "25", "/var/log/cloud-init.log"]).catch(
      () => "there is no log",
    );
    const reason =
      error.code === 124
        ? `not done after ${timeoutSeconds} s`
        : `status ${error.code}: ${tail(error.stdout, 20)}`;
    throw new Error(`cloud-init of the droplet ${id} failed, ${reason}\n${tail(log, 25)}`, { cause: error });
  }
}

/** Cuts every SSH session as a broken network would: without a word to either side. */
export async function cutSsh(sandbox: Sandbox, id: string): Promise<void> {
  await dropletExec(sandbox, id, ["sh", "-c", "pkill -KILL -f '^sshd-session' || true"]);
}

/** Runs a command in the droplet as root, past SSH. */
export async function dropletExec(
  sandbox: Sandbox,
  id: string,
  argv: readonly string[],
  options: DockerOptions = {},
): Promise<string> {
  return dockerExec((await sandbox.get("droplet", id)).container, argv, options);
}

function dropletFlags(sandbox: Sandbox, name: string): string[] {
  const legacyCgroups = !existsSync("/sys/fs/cgroup/cgroup.controllers");
  return [
    ...["--hostname", name, "--cgroupns=host", "--volume", "/sys/fs/cgroup:/sys/fs/cgroup:rw"],
    ...capabilities.flatMap((capability) => ["--cap-add", capability]),
    ...["--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"],
    ...["--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp:exec", "--device", "/dev/fuse"],
    // Block storage is attached to a running droplet, so the right to loop devices has to be there from the start.
    ...["--device-cgroup-rule", "b 7:* rmw"],
    ...["--mount", `type=volume,destination=/var/lib/docker,volume-label=${sandbox.label}`],
    ...directoryFlags(sandbox),
    ...["--env", "container=docker", "--sysctl", "net.ipv4.ip_forward=1"],
    ...(existsSync("/proc/sys/net/ipv4/tcp_migrate_req") ? ["--sysctl", "net.ipv4.tcp_migrate_req=1"] : []),
    // systemd refuses the old cgroups without being told twice.
    ...(legacyCgroups
      ? [
          "--env",
          "SYSTEMD_PROC_CMDLINE=SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1 systemd.unified_cgroup_hierarchy=0",
        ]
      : []),
  ];
}

function seed(args: DropletArgs, id: string): TarFile[] {
  const directory = "var/lib/cloud/seed/nocloud";
  return [
    { path: `${directory}/user-data`, content: args.userData, mode: 0o600 },
    {
      path: `${directory}/meta-data`,
      content: JSON.stringify({ "instance-id": id, "local-hostname": args.name }),
    },
  ];
}

function metadata(args: DropletArgs, id: string, publicAddress: string, privateAddress: string): TarFile[] {
  const values: Record<string, string> = {
    id,
    hostname: args.name,
    region: args.region,
    "user-data": args.userData,
    tags: (args.tags ?? []).join("\n"),
    "interfaces/public/0/ipv4/address": publicAddress,
    "interfaces/private/0/ipv4/address": privateAddress,
  };
  return Object.entries(values).map(([key, content]) => ({
    path: `var/lib/slipway-sandbox/metadata/metadata/v1/${key}`,
    content,
    mode: 0o600,
  }));
}
