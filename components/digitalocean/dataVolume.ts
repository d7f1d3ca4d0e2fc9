// The disk that outlives the machine: Docker's volumes and the edge's certificates are on it. It sits on one machine at a
// time, so everything that can be done without it is done before it moves.
import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import type { RegistryLogin } from "../release/composeRelease";
import type { Host } from "../release/host";
import { RemoteScript } from "../release/remoteScript";
import { generationName } from "./machineKeys";
import { accountName, commonTags } from "./names";

/** Images that a new machine fetches before the data volume moves to it. */
export interface PrefetchArgs {
  /** Images by digest, such as `registry.example.com/web@sha256:…`. */
  readonly images: readonly pulumi.Input<string>[];
  /** Login of their registry. @default none: the images are public */
  readonly registry?: RegistryLogin;
}

/** What a data volume is made from. */
export interface DataVolumeArgs {
  readonly region: string;
  readonly sizeGib: number;
  /** Generation of the machine. */
  readonly generation: number;
  readonly dropletId: pulumi.Input<number>;
  /** The prepared machine. */
  readonly host: Host;
  readonly prefetch: readonly PrefetchArgs[];
  readonly protect: boolean;
}

/** Makes the volume and puts it in place. What it returns is the last step. */
export function dataVolume(name: string, args: DataVolumeArgs, parent: pulumi.Resource): RemoteScript {
  const { host } = args;
  const volumeName = accountName(name, "media");
  const volume = new digitalocean.Volume(
    `${name}-media`,
    { name: volumeName, region: args.region, size: args.sizeGib, tags: [...commonTags()] },
    { parent, protect: args.protect },
  );
  const fetched = fetchImages(name, args, parent);
  const attachment = new digitalocean.VolumeAttachment(
    `${name}-media-attachment`,
    { volumeId: volume.id, dropletId: args.dropletId },
    // A volume sits on one droplet at a time: the old one has to let go first, and not before the new one is ready for it.
    { parent, deleteBeforeReplace: true, dependsOn: [...host.ready, fetched] },
  );
  return new RemoteScript(
    `${name}-media-mount`,
    {
      host,
      entry: "volume.sh",
      scripts: ["prepare-lib.sh", "prepare-volume.sh", "leave.sh"],
      files: { settings: `volumeDevice=/dev/disk/by-id/scsi-0DO_Volume_${volumeName}\n` },
      // Another attachment takes this one along, and so the machine lets go before it is cut off.
      triggers: [attachment.id],
      onLeave: leaveCommand("volume"),
      timeoutSeconds: 600,
    },
    { parent },
  );
}

/** Runs what a machine keeps for the day it is left. */
export function leaveCommand(what: "door" | "volume"): string {
  const script = "/usr/local/lib/slipway/leave.sh";
  return `S=; [ "$(id -u)" = 0 ] || S='sudo -n'; ! $S test -e ${script} || $S ${script} ${what}`;
}

function fetchImages(
  name: string,
  { generation, host, prefetch }: DataVolumeArgs,
  parent: pulumi.Resource,
): RemoteScript {
  const list = pulumi
    .all(
      prefetch.map(({ images, registry }) =>
        pulumi.output({ images: [...images], registry: registry ?? null }),
      ),
    )
    .apply((known) => JSON.stringify(known));
  return new RemoteScript(
    generationName(`${name}-images`, generation),
    { host, entry: "images.sh", files: { "images.json": pulumi.secret(list) }, once: true },
    { parent },
  );
}
