import { randomUUID } from "node:crypto";
import { blockVolumeLabel } from "./cleanup";
import { docker, dockerExec } from "./docker";
import { attachLoop, freeLoops, hasLoops, makeDisk } from "./loops";
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
  if (hasLoops()) await makeDisk(volumeName(sandbox, id), args.sizeGib);
  return { id };
}

/**
 * Gives the volume to a running droplet. It appears there as `/dev/disk/by-id/scsi-0DO_Volume_NAME`: a block device,
 * or a directory, said aloud, where the machine has no loop devices.
 */
export async function attachVolume(
  sandbox: Sandbox,
  id: string,
  dropletId: string,
): Promise<{ device: string }> {
  const { container } = await sandbox.get("droplet", dropletId);
  const name = await nameOf(sandbox, id);
  await detachEverywhere(sandbox, name);
  if (hasLoops()) {
    const loop = await attachLoop(volumeName(sandbox, id));
    await dockerExec(container, volumeScript("attach", name, String(loop)));
  } else {
    sandbox.log(`volume ${name}: this machine has no loop devices, a directory stands in for the disk`);
    await dockerExec(container, volumeScript("attach", name, `${directoriesMount}/${id}`));
  }
  return { device: `/dev/disk/by-id/scsi-0DO_Volume_${name}` };
}

const directoriesMount = "/var/lib/slipway-sandbox/volumes";

/** What every droplet gets at its start where volumes are directories: one place that all of them see. */
export function directoryFlags(sandbox: Sandbox): string[] {
  if (hasLoops()) return [];
  const options = [
    "type=volume",
    `source=${sandbox.containerName("directories")}`,
    `destination=${directoriesMount}`,
  ];
  return ["--mount", [...options, `volume-label=${sandbox.label}`].join(",")];
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
