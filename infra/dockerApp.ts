// A Django app on one host with Docker: host, database, release. What differs between stacks is configuration.
import { readFileSync } from "node:fs";
import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { databaseCaFile, type App } from "../components/app";
import {
  directCommand,
  directVariables,
  DnsRecord,
  DockerHost,
  isInZone,
  Postgres,
  ReservedIpAssignment,
} from "../components/digitalocean";
import {
  AppSlot,
  ComposeRelease,
  ExistingHost,
  type ComposeReleaseArgs,
  type Receipt,
} from "../components/release";
import { isDigestReference, parseReleaseFile, type ReleaseFile } from "../components/release/releaseFile";
import { readAppDescription, type AppDescription } from "./appDescription";
import type { StackConfig } from "./config";

/** What the stack tells about itself. */
export interface DockerAppOutputs {
  /** Where users find the app: `https://` and the first domain, or `http://` and the address. */
  readonly url: pulumi.Output<string>;
  /** Where the app answers: the reserved address when there is one, otherwise the host's own. */
  readonly address: pulumi.Output<string>;
  /** As `ssh` shows it at the first connection: `SHA256:…`. */
  readonly hostKeyFingerprint: pulumi.Output<string>;
  /** What the app reads to reach its database. Secret; absent without a managed database. */
  readonly databaseVariables?: pulumi.Output<Record<string, string>>;
  /** What the last release left behind; absent while nothing is shipped. */
  readonly receipt?: pulumi.Output<Receipt>;
}

/** Host and database, and the release that `releases/<stack>.yaml` names. */
export function dockerApp(config: StackConfig): DockerAppOutputs {
  const description = readAppDescription(config.stack, config.app);
  const file = readRelease(config);
  const acme = readAcme(config);

  const host = makeHost(config);
  const reservedIp = makeReservedIp(config);
  const address = reservedIp?.ipAddress ?? host.address;
  const database = host instanceof DockerHost ? makeDatabase(config, description, host) : undefined;
  const variables = database?.variables(config.database?.contract ?? "SQL");
  const records = makeDnsRecords(config, description, address);

  const release =
    file.release === 0
      ? undefined
      : makeRelease(
          config,
          file,
          host,
          describeApp(config, description, file, address, database),
          acme,
          records,
        );

  if (reservedIp !== undefined && host instanceof DockerHost) {
    new ReservedIpAssignment(
      "address",
      { ipAddress: reservedIp.ipAddress, dropletId: host.identity },
      // Traffic moves to a new droplet when the app answers there.
      { dependsOn: release === undefined ? [...host.ready] : [release] },
    );
  }
  const domain = description.domains?.[0];
  return {
    url: domain === undefined ? pulumi.interpolate`http://${address}` : pulumi.output(`https://${domain}`),
    address,
    hostKeyFingerprint: host.hostKeyFingerprint,
    // The SDK warns of an output that is there but undefined.
    ...(variables && {
      databaseVariables: pulumi.secret(pulumi.all({ ...variables.plain, ...variables.secret })),
    }),
    ...(release && { receipt: release.receipt }),
  };
}

function readRelease(config: StackConfig): ReleaseFile {
  let text: string;
  try {
    text = readFileSync(config.releasesFile, "utf8");
  } catch {
    throw new Error(
      `slipway:releasesFile of stack ${config.stack}: received ${JSON.stringify(config.releasesFile)}, and there is no such file; ` +
        "accepted: a file with `release: 0` before the first release, then what `slipway release set` writes. " +
        `Set it with: pulumi config set --stack ${config.stack} slipway:releasesFile releases/${config.stack}.yaml`,
    );
  }
  const file = parseReleaseFile(text, config.releasesFile);
  if (config.requireDigests ?? true) requireDigests(config, file);
  return file;
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

function requireDigests(config: StackConfig, { images }: ReleaseFile): void {
  const [moving] = Object.entries(images).filter(([, image]) => !isDigestReference(image));
  if (moving === undefined) return;
  throw new Error(
    `images.${moving[0]} in ${config.releasesFile}: received ${JSON.stringify(moving[1])}; accepted: an image by digest, ` +
      "repository@sha256:…, because slipway:requireDigests is on. " +
      `Write it with: slipway release set --stack ${config.stack} ${moving[0]}=REPOSITORY@sha256:…`,
  );
}

function makeHost(config: StackConfig): DockerHost | ExistingHost {
  const { size, image, vpc, sshFrom, authorizedKeys, privateKey, monitoring, backups } = config.host;
  const { mediaVolumeGib, swapMib, protect, existing } = config.host;
  if (existing !== undefined) return new ExistingHost("host", { ...existing, authorizedKeys, swapMib });
  return new DockerHost("host", {
    region: config.region,
    size,
    image,
    vpcUuid: vpc,
    sshFrom,
    authorizedKeys,
    deployPrivateKey: privateKey,
    monitoring,
    backups,
    mediaVolumeGib,
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

function makeDatabase(config: StackConfig, app: AppDescription, host: DockerHost): Postgres | undefined {
  if (config.database === undefined) return undefined;
  const { name, nodes, version, size, protect, extensions, pool, loginGeneration } = config.database;
  return new Postgres("database", {
    version,
    size,
    protect,
    extensions,
    pool,
    loginGeneration,
    host,
    region: config.region,
    vpcUuid: host.vpcUuid,
    allowedTags: [host.accessTag],
    database: name ?? app.name.replaceAll("-", "_"),
    nodeCount: nodes,
  });
}

function makeDnsRecords(
  config: StackConfig,
  app: AppDescription,
  address: pulumi.Output<string>,
): readonly DnsRecord[] {
  const zone = config.dns?.zone;
  if (zone === undefined) return [];
  const domains = (app.domains ?? []).filter((domain) => isInZone(domain, zone));
  if (domains.length === 0) {
    throw new Error(
      `slipway:dns.zone of stack ${config.stack}: received ${JSON.stringify(zone)}, and none of the app's domains lies in it; ` +
        `accepted: the zone of one of ${(app.domains ?? []).join(", ") || "slipway:app.domains, which is empty"}. ` +
        `Set it with: pulumi config set --stack ${config.stack} --path 'slipway:dns.zone' VALUE`,
    );
  }
  return domains.map((domain) => new DnsRecord(`dns-${domain}`, { zone, domain, address }));
}

/** The App: the description, and what the other resources have to say. What the stack sets itself wins. */
function describeApp(
  config: StackConfig,
  description: AppDescription,
  file: ReleaseFile,
  address: pulumi.Output<string>,
  database: Postgres | undefined,
): App {
  const contract = config.database?.contract ?? "SQL";
  const variables = database?.variables(contract);
  const pooled = database !== undefined && config.database?.pool !== undefined;
  const direct = pooled ? database.variables(contract, database.directConnection) : undefined;
  const directly = direct && directVariables(direct);
  const { migrate, health } = description;
  return {
    ...description,
    // Without a domain users send the address, and Django knows it by ALLOWED_HOSTS.
    health: { ...health, host: health.host ?? description.domains?.[0] ?? address },
    images: file.images,
    environment: {
      DIGITAL_OCEAN_IP_ADDRESS: address,
      ...variables?.plain,
      ...directly?.plain,
      ...description.environment,
      ...config.environment,
    },
    secrets: {
      ...(config.secrets["SECRET_KEY"] === undefined && { SECRET_KEY: makeSecretKey() }),
      ...variables?.secret,
      ...directly?.secret,
      ...config.secrets,
    },
    files: database === undefined ? {} : { [databaseCaFile]: database.ca },
    migrate: direct && migrate ? directCommand(direct, migrate) : migrate,
  };
}

// Django does not start without one. Who has one already sets slipway:secrets.SECRET_KEY.
function makeSecretKey(): pulumi.Output<string> {
  return new random.RandomPassword("secret-key", { length: 64, special: false }).result;
}

function makeRelease(
  config: StackConfig,
  file: ReleaseFile,
  host: DockerHost | ExistingHost,
  app: App,
  acme: ComposeReleaseArgs["acme"],
  records: readonly DnsRecord[],
): ComposeRelease {
  const slot = new AppSlot(app.name, { host, app: app.name });
  return new ComposeRelease(
    `${app.name}-release`,
    {
      host,
      slot,
      app,
      release: file.release,
      registry: config.registry,
      keepReleases: config.keepReleases,
      requireDigests: config.requireDigests,
      minFreeMib: config.minFreeMib,
      minFreeMemoryMib: config.minFreeMemoryMib,
      lockTimeoutSeconds: config.lockTimeoutSeconds,
      acme,
    },
    // A certificate is only given to a name that already leads here.
    { dependsOn: [...records] },
  );
}
