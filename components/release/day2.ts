// What `slipway status`, `run`, `backup` and their like need to know of an app: the way to its host, and what the host
// says. The host has one script with the same verbs for every kind of target; day2.sh lists them.
import * as pulumi from "@pulumi/pulumi";
import { imageVariable } from "../app";
import type { App } from "../app";
import type { Host } from "./host";
import type { FailedReceipt, Receipt } from "./receipt";

/** The scripts that a slot installs for the day-2 commands. */
export const dayTwoScripts = [
  "colour.sh",
  "day2.sh",
  "day2-status.sh",
  "day2-rollback.sh",
  "day2-backup.sh",
  "day2-restore.sh",
  "day2-volume.py",
] as const;

/** How a command line reaches one app. */
export interface AppAccess {
  /** What kind of target the app runs on: says who wrote the host's script. */
  readonly target: "compose";
  /** Name of the app, as on the host. */
  readonly app: string;
  /** Path of its release file, from where Pulumi.yaml is. */
  readonly releasesFile: string;
  /** Whether its database is a managed one, which its provider backs up. */
  readonly managedDatabase: boolean;
  readonly connection: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly privateKey: string;
    /** The only host key that is accepted: `ssh-ed25519 AAAA…`. */
    readonly hostKey: string;
  };
}

/** The access to an app on a host, as a secret output of the stack. */
export function appAccess(
  host: Pick<Host, "connection">,
  { target, app, releasesFile, managedDatabase }: Omit<AppAccess, "connection">,
): pulumi.Output<AppAccess> {
  return pulumi.secret(
    host.connection.apply(({ host: address, port, user, privateKey, hostKey }) => ({
      target,
      app,
      releasesFile,
      managedDatabase,
      connection: {
        host: address,
        port: port ?? 22,
        user: user ?? "root",
        privateKey: privateKey ?? "",
        hostKey: hostKey ?? "",
      },
    })),
  );
}

/** Which variables of the `.env` name an image, and which one: a rollback on the host itself changes these. */
export function rollbackVariables(
  app: Pick<App, "environment" | "images" | "secrets">,
): Record<string, string> {
  const names = Object.keys(app.images);
  const main = app.images["web"] === undefined ? names[0] : "web";
  const variables = {
    ...Object.fromEntries(names.map((name) => [imageVariable(name), name])),
    ...(main !== undefined && { IMAGE: main }),
  };
  return Object.fromEntries(
    Object.entries(variables).filter(
      // What the app's description sets itself does not follow the images.
      ([name]) => app.environment?.[name] === undefined && app.secrets?.[name] === undefined,
    ),
  );
}

/** One container, as `status` tells it. */
export interface ServiceStatus {
  readonly service: string;
  /** Of the release that serves, or with data of its own and not restarted by releases. */
  readonly role: "release" | "stateful";
  /** As the compose file names it, with a digest where the release pins it. */
  readonly image: string;
  /** The image's own id, `sha256:…`. */
  readonly imageId: string;
  /** Docker's word: `running`, `exited`, `restarting`, … */
  readonly state: string;
  readonly exitCode: number;
  /** Of the image's own health check; null without one. */
  readonly health: string | null;
  /** How often Docker started it again since the release. */
  readonly restarts: number;
  readonly startedAt: string;
  readonly restartPolicy: string;
}

/** What `status` prints. */
export interface HostStatus {
  readonly app: string;
  readonly target: AppAccess["target"];
  /** The host's clock. */
  readonly at: string;
  /** Number of the release that serves; null before the first. */
  readonly release: number | null;
  readonly since: string | null;
  /** The side that serves; null for targets without. */
  readonly colour: string | null;
  readonly services: readonly ServiceStatus[];
  /** Commands that somebody runs beside the app. */
  readonly runs: readonly string[];
  /** The answer to the health request through the edge; status 0 for none. */
  readonly edge: { readonly url: string; readonly status: number; readonly seconds: number } | null;
  readonly certificates: readonly {
    readonly domain: string;
    /** Null when the edge serves none. */
    readonly notAfter: string | null;
    readonly issuer: string;
  }[];
  readonly disks: readonly { readonly mount: string; readonly sizeMib: number; readonly freeMib: number }[];
  /** A release that was cut and that the next run will finish or take back. */
  readonly interrupted: { readonly release: number; readonly step: string } | null;
  /** Who ships right now. */
  readonly lock: string | null;
  /** Whether a restore is under way, or was cut. */
  readonly restoring: boolean;
}

/** What `releases` prints of each run. */
export type KeptReceipt = (Receipt | FailedReceipt | RestoreReceipt) & {
  /** When it ended, by the host's clock. */
  readonly at: string;
  /** Whether all of its images are on the host. */
  readonly local: boolean;
};

/** What `rollback` is told on stdin. */
export interface RollbackOrder {
  readonly release: number;
  readonly images: Readonly<Record<string, string>>;
}

/** One file of a backup. */
export interface BackupPart {
  /** Name of the file. */
  readonly file: string;
  /** A dump of a database, or a tar of a volume. */
  readonly kind: "postgres" | "volume";
  /** The service that has the database; null for a volume that services share. */
  readonly service: string | null;
  /** Name of the database, or of the volume on the host. */
  readonly name: string;
}

/** What `backup list` prints. */
export interface BackupPlan {
  readonly parts: readonly BackupPart[];
  /** What is left out, and why. */
  readonly notes: readonly string[];
}

/** `manifest.json` of a backup. */
export interface BackupManifest {
  readonly version: 1;
  readonly app: string;
  readonly target: AppAccess["target"];
  readonly stack: string;
  /** The release that served. */
  readonly release: number;
  readonly at: string;
  readonly parts: readonly (BackupPart & { readonly bytes: number; readonly sha256: string })[];
  /** What is not in it. */
  readonly notes: readonly string[];
}

/** What `restore` prints, and keeps among the receipts. */
export interface RestoreReceipt {
  readonly app: string;
  /** The release that served before and after. */
  readonly release: number;
  readonly result: "restored";
  /** The release that served when the backup was made, and when that was. */
  readonly backup: { readonly release: number; readonly at: string };
  readonly parts: readonly string[];
  /** How long the app did not answer. */
  readonly secondsAway: number;
}
