import { existsSync } from "node:fs";
import { docker } from "./docker";
import { ensureImage } from "./images";

// Loop devices are the kernel's, not a container's: any container with these rights may set one up.
const rights = [
  ...[
    "--cap-add",
    "SYS_ADMIN",
    "--security-opt",
    "apparmor=unconfined",
    "--security-opt",
    "seccomp=unconfined",
  ],
  ...["--device", "/dev/loop-control", "--device-cgroup-rule", "b 7:* rmw", "--network", "none"],
];

/** Whether this machine can make a block device out of a file. */
export function hasLoops(): boolean {
  return existsSync("/dev/loop-control");
}

/** Sets up a loop device over the disk of a block volume and gives its number. */
export async function attachLoop(volume: string): Promise<number> {
  const output = await inHelper([volume], ["attach", "/volumes/0/disk"]);
  const number = Number.parseInt(output.trim(), 10);
  if (!Number.isInteger(number))
    throw new Error(`setting up a loop device printed ${JSON.stringify(output)}`);
  return number;
}

/** Makes the disk of a block volume: a sparse file, so that it takes the room of what is written to it. */
export async function makeDisk(volume: string, sizeGib: number): Promise<void> {
  await inHelper([volume], ["make", "/volumes/0/disk", `${sizeGib}G`]);
}

/** Frees the loop devices over these volumes' disks. */
export async function freeLoops(volumes: readonly string[]): Promise<void> {
  if (volumes.length > 0)
    await inHelper(volumes, ["free", ...volumes.map((_volume, index) => `/volumes/${index}/disk`)]);
}

async function inHelper(volumes: readonly string[], argv: readonly string[]): Promise<string> {
  const mounts = volumes.flatMap((volume, index) => ["--volume", `${volume}:/volumes/${index}`]);
  const script = ["sh", "/usr/local/lib/slipway-sandbox/loops.sh", ...argv];
  return docker(["run", "--rm", ...rights, ...mounts, await ensureImage("droplet"), ...script]);
}
