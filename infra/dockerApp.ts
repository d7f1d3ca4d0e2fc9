// Django apps on one host with Docker: host, databases, releases. What differs between stacks is configuration.
import { readFileSync } from "node:fs";
import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import { DockerHost, handOver, isInZone, Postgres, ReservedIpAssignment } from "../components/digitalocean";
import {
  appAccess,
  ExistingHost,
  type AppAccess,
  type ComposeReleaseArgs,
  type Receipt,
} from "../components/release";
import type { ReleaseFile } from "../components/release/releaseFile";
import { readAppDescription } from "./appDescription";
import type { StackConfig } from "./config";
import { readRelease } from "./releases";
import { databaseName, refuseClashes, type DescribedApp } from "./severalApps";
import { shipApp, type Ground, type ShippedApp } from "./shippedApp";

type AppWithFile = DescribedApp & { readonly file: ReleaseFile };

/** What the stack tells about one app. */
export interface AppOutputs {
  /** Where users find the app: `https://` and the first domain, or `http://` and the address. */
  readonly url: pulumi.Output<string>;
  /** What the app reads to reach its database. Secret; absent without a managed database. */
  readonly databaseVariables?: pulumi.Output<Record<string, string>>;
  /** What the last release left behind; absent while nothing is shipped. */
  readonly receipt?: pulumi.Output<Receipt>;
}

/** What the stack tells about itself. What stands beside `apps` is about `slipway:app`, and about the host. */
export interface DockerAppOutputs extends Partial<AppOutputs> {
  /** Where the apps answer: the reserved address when there is one, otherwise the host's own. */
  readonly address: pulumi.Output<string>;
  /** As `ssh` shows it at the first connection: `SHA256:…`. */
  readonly hostKeyFingerprint: pulumi.Output<string>;
  /** How the `slipway` command reaches each app on the host. Secret. */
  readonly access: pulumi.Output<Record<string, AppAccess>>;
  /** Every app by name; absent in a stack without `slipway:apps`. */
  readonly apps?: Readonly<Record<string, AppOutputs>>;
}

/** Host and databases, and the release that each app's release file names. */
export function dockerApp(config: StackConfig): DockerAppOutputs {
  const apps = config.apps.map((app) => ({
    config: app,
    description: readAppDescription(config.stack, app.description, app.path),
    file: readRelease(config, app),
  }));
  refuseClashes(config.stack, apps);
  refuseForeignZone(config, apps);
  const acme = readAcme(config);

  const reservedIp = makeReservedIp(config);
  const host = makeHost(config, apps, reservedIp?.ipAddress);
  const address = reservedIp?.ipAddress ?? host.address;
  const cluster = host instanceof DockerHost ? makeCluster(config, apps, host) : undefined;
  const ground: Ground = { config, host, address, cluster, acme };
  const shipped = apps.map((app) => shipApp(ground, app, app.file));

  if (host instanceof DockerHost) {
    const releases = shipped.flatMap(({ release }) => release ?? []);
    // Traffic moves to a new droplet when the apps answer there.
    const door = handOver(
      "host-door",
      { host, addressMoves: reservedIp !== undefined },
      { dependsOn: [...host.storage, ...releases] },
    );
    if (reservedIp !== undefined) {
      const dropletId = host.identity;
      new ReservedIpAssignment(
        "address",
        { ipAddress: reservedIp.ipAddress, dropletId },
        { dependsOn: [door, ...releases] },
      );
    }
  }
  const several = apps.some(({ config: { key } }) => key !== undefined);
  const own = shipped.find((_, index) => apps[index]?.config.key === undefined);
  const { url, ...ofOwn } = own === undefined ? {} : outputsOf(own);
  return {
    ...(url && { url }),
    address,
    hostKeyFingerprint: host.hostKeyFingerprint,
    access: accessTo(host, apps, shipped),
    ...ofOwn,
    ...(several && { apps: Object.fromEntries(shipped.map((app) => [app.name, outputsOf(app)])) }),
  };
}

// The SDK warns of an output that is there but undefined.
function outputsOf({ url, variables, release }: ShippedApp): AppOutputs {
  return {
    url,
    ...(variables && {
      databaseVariables: pulumi.secret(pulumi.all({ ...variables.plain, ...variables.secret })),
    }),
    ...(release && { receipt: release.receipt }),
  };
}

function accessTo(
  host: DockerHost | ExistingHost,
  apps: readonly DescribedApp[],
  shipped: readonly ShippedApp[],
): pulumi.Output<Record<string, AppAccess>> {
  const accesses = apps.map(({ config: { releasesFile }, description: { name } }) => {
    const managedDatabase = shipped.some((app) => app.name === name && app.variables !== undefined);
    return [name, appAccess(host, { target: "compose", app: name, releasesFile, managedDatabase })] as const;
  });
  return pulumi.secret(pulumi.all(Object.fromEntries(accesses)));
}

function refuseForeignZone({ dns, stack }: StackConfig, apps: readonly DescribedApp[]): void {
  const domains = apps.flatMap(({ description }) => description.domains ?? []);
  if (dns === undefined || domains.some((domain) => isInZone(domain, dns.zone))) return;
  throw new Error(
    `slipway:dns.zone of stack ${stack}: received ${JSON.stringify(dns.zone)}, and none of the app's domains lies in it; ` +
      `accepted: the zone of one of ${domains.join(", ") || "slipway:app.domains, which is empty"}. ` +
      `Set it with: pulumi config set --stack ${stack} --path 'slipway:dns.zone' VALUE`,
  );
}

function readAcme({ acme, stack }: StackConfig): ComposeReleaseArgs["acme"] {
  if (acme?.caCertificateFile === undefined) return acme && { directory: acme.directory };
  const { directory, caCertificateFile } = acme;
  try {
    return { directory, caCertificate: readFileSync(caCertificateFile, "utf8") };
  } catch {
    throw new Error(
      `slipway:acme.caCertificateFile of stack ${stack}: received ${JSON.stringify(caCertificateFile)}, which cannot be read; ` +
        "accepted: the path of a PEM file, from where Pulumi.yaml is. " +
        `Set it with: pulumi config set --stack ${stack} --path 'slipway:acme.caCertificateFile' VALUE`,
    );
  }
}

function makeHost(
  config: StackConfig,
  apps: readonly AppWithFile[],
  reachedAt: pulumi.Output<string> | undefined,
): DockerHost | ExistingHost {
  const { size, image, vpc, sshFrom, authorizedKeys, privateKey, monitoring, backups } = config.host;
  const { mediaVolumeGib, swapMib, protect, existing } = config.host;
  const { generation, deployKeyGenerations, hostKeyGenerations } = config.host;
  if (existing !== undefined) return new ExistingHost("host", { ...existing, authorizedKeys, swapMib });
  return new DockerHost("host", {
    region: config.region,
    size,
    image,
    vpcUuid: vpc,
    sshFrom,
    authorizedKeys,
    deployPrivateKey: privateKey,
    deployKeyGenerations,
    hostKeyGenerations,
    generation,
    monitoring,
    backups,
    mediaVolumeGib,
    prefetch: apps.map(({ config: { registry }, file }) => ({
      images: Object.values(file.images),
      registry,
    })),
    reachedAt,
    swapMib,
    protect,
  });
}

function makeReservedIp(config: StackConfig): digitalocean.ReservedIp | undefined {
  if (!config.host.reservedIp) return undefined;
  // It stands in DNS and in other people's firewalls: gone is gone.
  return new digitalocean.ReservedIp(
    "address",
    { region: config.region },
    { protect: config.host.protect ?? true },
  );
}

/** The cluster, and on it the database of `slipway:app` when there is one. */
function makeCluster(
  config: StackConfig,
  apps: readonly DescribedApp[],
  host: DockerHost,
): Postgres | undefined {
  if (config.database === undefined) return undefined;
  const { nodes, version, size, protect, extensions, pool } = config.database;
  const { loginGeneration, closedLoginGeneration } = config.database;
  const own = apps.find((app) => app.config.key === undefined);
  return new Postgres("database", {
    version,
    size,
    protect,
    extensions,
    pool,
    loginGeneration,
    closedLoginGeneration,
    host,
    region: config.region,
    vpcUuid: host.vpcUuid,
    allowedTags: [host.accessTag],
    database: own && databaseName(own),
    nodeCount: nodes,
  });
}
