import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { blockVolumeLabel } from "./cleanup";
import { docker, dockerExec } from "./docker";
import { attachLoop, freeLoops, makeDisk } from "./loops";
import type { Sandbox } from "./sandbox";

export interface VolumeArgs {
  readonly name: string;
  readonly sizeGib: number;
}

/** Makes a block volume, empty and without a file system. */
export async function createVolume(sandbox: Sandbox, args: VolumeArgs): Promise<{ id: string }> {
  await sandbox.up();
  const id = randomUUID();
  const labels = [sandbox.label, blockVolumeLabel, `slipway.name=${args.name}`, `slipway.id=${id}`];
  await docker([
    "volume",
    "create",
    ...labels.flatMap((label) => ["--label", label]),
    volumeName(sandbox, id),
  ]);
  await makeDisk(volumeName(sandbox, id), args.sizeGib);
  return { id };
}

/** Gives the volume to a running droplet. It appears there as `/dev/disk/by-id/scsi-0DO_Volume_NAME`. */
export async function attachVolume(
  sandbox: Sandbox,
  id: string,
  dropletId: string,
): Promise<{ device: string }> {
  const { container } = await sandbox.get("droplet", dropletId);
  const name = await nameOf(sandbox, id);
  if (!existsSync("/dev/loop-control")) {
    throw new Error(
      `volume ${name}: this machine has no loop devices (/dev/loop-control). Run "modprobe loop", or leave the volume out.`,
    );
  }
  await detachEverywhere(sandbox, name);
  const loop = await attachLoop(volumeName(sandbox, id));
  await dockerExec(container, volumeScript("attach", name, String(loop)));
  return { device: `/dev/disk/by-id/scsi-0DO_Volume_${name}` };
}

/** Takes the volume from the droplet that has it, mounted or not; its data stay. */
export async function detachVolume(sandbox: Sandbox, id: string): Promise<void> {
  await detachEverywhere(sandbox, await nameOf(sandbox, id));
  await freeLoops([volumeName(sandbox, id)]);
}

/** Removes the volume with its data. */
export async function deleteVolume(sandbox: Sandbox, id: string): Promise<void> {
  const there = await docker(["volume", "inspect", volumeName(sandbox, id)]).catch(() => undefined);
  if (there === undefined) return;
  await detachVolume(sandbox, id);
  await docker(["volume", "rm", volumeName(sandbox, id)]);
}

async function detachEverywhere(sandbox: Sandbox, name: string): Promise<void> {
  const droplets = (await sandbox.members("droplet")).filter((droplet) => droplet.running);
  await Promise.all(droplets.map((droplet) => dockerExec(droplet.container, volumeScript("detach", name))));
}

async function nameOf(sandbox: Sandbox, id: string): Promise<string> {
  const format = '{{index .Labels "slipway.name"}}';
  const name = await docker(["volume", "inspect", "--format", format, volumeName(sandbox, id)]).catch(
    () => "",
  );
  if (name.trim() === "")
    throw new Error(`the sandbox ${sandbox.name} has no volume with the id ${JSON.stringify(id)}`);
  return name.trim();
}

function volumeName(sandbox: Sandbox, id: string): string {
  return sandbox.containerName(`volume-${id}`);
}

function volumeScript(...args: string[]): string[] {
  return ["sh", "/usr/local/lib/slipway-sandbox/volume.sh", ...args];
}
