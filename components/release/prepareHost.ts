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
  /** Private halves of all host keys that sshd shall show, by type. Secret. @default sshd's keys stay as they are */
  readonly hostKeys?: Readonly<Partial<Record<"ed25519" | "ecdsa", pulumi.Input<string>>>>;
  /** Size of the swap file in MiB; 0 for none. */
  readonly swapMib: pulumi.Input<number>;
}

const parts = ["boot", "packages", "users", "hostkeys", "docker", "edge", "metadata", "upkeep"];

/**
 * Makes a server with Debian 13, Ubuntu 24.04 or a later one ready for releases: Docker, compose, Caddy, swap, upkeep, and the
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
    .all([args.user, args.swapMib])
    .apply(([user, swapMib]) => `user=${user}\nswapMib=${swapMib}\n`);
  return new RemoteScript(
    name,
    {
      host,
      entry: "prepare.sh",
      scripts: ["lib", ...parts].map((part) => `prepare-${part}.sh`),
      files: {
        settings,
        authorized_keys: pulumi
          .output(args.authorizedKeys)
          .apply((keys) => keys.map((key) => `${key}\n`).join("")),
        Caddyfile: renderCaddyfile(),
        ...Object.fromEntries(
          Object.entries(args.hostKeys ?? {}).map(([type, key]) => [`host_key_${type}`, pulumi.secret(key)]),
        ),
      },
      timeoutSeconds: 1200,
    },
    opts,
  );
}
