import * as pulumi from "@pulumi/pulumi";
import { renderCaddyfile } from "./edgeSite";
import type { Host } from "./host";
import { RemoteScript } from "./remoteScript";

/** What a server is prepared with. */
export interface PrepareHostArgs {
  /** The user that releases log in as. Joins the groups `docker` and `adm`: equal to root. */
  readonly user: pulumi.Input<string>;
  /** The whole of the user's `authorized_keys`. Empty leaves the file alone. */
  readonly authorizedKeys: pulumi.Input<readonly string[]>;
  /** Size of the swap file in MiB; 0 for none. */
  readonly swapMib: pulumi.Input<number>;
  /** Block device that holds Docker's volumes, by its stable path. @default none: they are on the system disk */
  readonly volume?: { readonly device: pulumi.Input<string> };
}

const parts = ["boot", "packages", "users", "volume", "docker", "edge", "metadata", "upkeep"];

/**
 * Makes a server with Debian 13, Ubuntu 24.04 or a later one ready for releases: Docker, compose, Caddy, swap, upkeep, the data volume, and the
 * metadata address closed to containers. The same for a droplet and for a server that was already there; run again
 * when one of the settings changes, and then changing only what differs.
 */
export function prepareHost(
  name: string,
  host: Host,
  args: PrepareHostArgs,
  opts?: pulumi.ComponentResourceOptions,
): RemoteScript {
  const settings = pulumi
    .all([args.user, args.swapMib, args.volume?.device ?? ""])
    .apply(([user, swapMib, device]) => `user=${user}\nswapMib=${swapMib}\nvolumeDevice=${device}\n`);
  return new RemoteScript(
    name,
    {
      host,
      entry: "prepare.sh",
      scripts: parts.map((part) => `prepare-${part}.sh`),
      files: {
        settings,
        authorized_keys: pulumi
          .output(args.authorizedKeys)
          .apply((keys) => keys.map((key) => `${key}\n`).join("")),
        Caddyfile: renderCaddyfile(),
      },
      timeoutSeconds: 1200,
    },
    opts,
  );
}
