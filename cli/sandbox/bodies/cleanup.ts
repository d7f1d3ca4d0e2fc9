import { setTimeout as sleep } from "node:timers/promises";
import { docker, DockerError } from "./docker";
import { freeLoops } from "./loops";

/** Label of the Docker volumes that hold the disk of a block volume. */
export const blockVolumeLabel = "slipway.role=volume";

/** Removes the containers, volumes and networks with this label, and frees the loop devices of its block volumes. */
export async function removeLabelled(label: string): Promise<void> {
  const filter = ["--filter", `label=${label}`];
  const containers = lines(await docker(["ps", "-aq", ...filter]));
  if (containers.length > 0) await remove(["rm", "-f", "-v", ...containers]);
  // Only when their users are gone: a mounted device cannot be freed.
  await freeLoops(
    lines(await docker(["volume", "ls", "-q", ...filter, "--filter", `label=${blockVolumeLabel}`])),
  );
  const volumes = lines(await docker(["volume", "ls", "-q", ...filter]));
  if (volumes.length > 0) await remove(["volume", "rm", "-f", ...volumes]);
  const networks = lines(await docker(["network", "ls", "-q", ...filter]));
  if (networks.length > 0) await remove(["network", "rm", ...networks]);
}

/** What Docker has with this label. */
export async function remaining(label: string): Promise<string[]> {
  const filter = ["--filter", `label=${label}`, "--format"];
  const found = await Promise.all([
    docker(["ps", "-a", ...filter, "container {{.Names}}"]),
    docker(["network", "ls", ...filter, "network {{.Name}}"]),
    docker(["volume", "ls", ...filter, "volume {{.Name}}"]),
  ]);
  return found.flatMap(lines);
}

// Docker takes moments to let go of what a killed container held; what is gone already is as good as removed.
async function remove(args: readonly string[]): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await docker(args);
      return;
    } catch (error) {
      if (!(error instanceof DockerError)) throw error;
      const busy = /in use|active endpoints|in progress|busy/i.test(error.stderr);
      if (!busy && /no such|not found/i.test(error.stderr)) return;
      if (attempt >= 40) throw error;
    }
    await sleep(300);
  }
}

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
