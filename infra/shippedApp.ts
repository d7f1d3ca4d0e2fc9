// One app of the stack: its database, its names in DNS, its secrets, and the release that its release file names.
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { databaseCaFile, type App } from "../components/app";
import {
  directCommand,
  directVariables,
  DnsRecord,
  generationName,
  isInZone,
  PostgresDatabase,
  type DockerHost,
  type Postgres,
  type PostgresVariables,
} from "../components/digitalocean";
import { AppSlot, ComposeRelease, type ComposeReleaseArgs, type ExistingHost } from "../components/release";
import type { ReleaseFile } from "../components/release/releaseFile";
import type { AppConfig } from "./appConfig";
import type { StackConfig } from "./config";
import { databaseName, type DescribedApp } from "./severalApps";

/** What the apps of a stack share. */
export interface Ground {
  readonly config: StackConfig;
  readonly host: DockerHost | ExistingHost;
  /** Where users reach the host. */
  readonly address: pulumi.Output<string>;
  readonly cluster?: Postgres;
  readonly acme: ComposeReleaseArgs["acme"];
}

/** What one app came to. */
export interface ShippedApp {
  readonly name: string;
  readonly url: pulumi.Output<string>;
  readonly variables?: PostgresVariables;
  /** Absent while nothing is shipped. */
  readonly release?: ComposeRelease;
}

/** Registers what belongs to one app. Names follow the app's; those of `slipway:app` are older than that rule. */
export function shipApp(ground: Ground, app: DescribedApp, file: ReleaseFile): ShippedApp {
  const { address, config } = ground;
  const { name, domains } = app.description;
  const database = makeDatabase(ground, app);
  const records = makeDnsRecords(config, app, address);
  const domain = domains?.[0];
  return {
    name,
    url: domain === undefined ? pulumi.interpolate`http://${address}` : pulumi.output(`https://${domain}`),
    variables: app.config.database && database?.variables(app.config.database.contract),
    release:
      file.release === 0
        ? undefined
        : makeRelease(ground, app.config, file, describeApp(ground, app, file, database), records),
  };
}

/** The database of `slipway:app` came with the cluster; every other app has one beside it. */
function makeDatabase({ cluster, host }: Ground, app: DescribedApp): Postgres | PostgresDatabase | undefined {
  const { key, database } = app.config;
  const name = databaseName(app);
  if (cluster === undefined || database === undefined || name === undefined) return undefined;
  if (key === undefined) return cluster;
  const { extensions, pool, loginGeneration, closedLoginGeneration } = database;
  return new PostgresDatabase(`database-${key}`, {
    ...{ host, cluster, extensions, pool, loginGeneration, closedLoginGeneration },
    database: name,
  });
}

function makeDnsRecords(
  config: StackConfig,
  { description }: DescribedApp,
  address: pulumi.Output<string>,
): readonly DnsRecord[] {
  const zone = config.dns?.zone;
  if (zone === undefined) return [];
  return (description.domains ?? [])
    .filter((domain) => isInZone(domain, zone))
    .map((domain) => new DnsRecord(`dns-${domain}`, { zone, domain, address }));
}

/** The App: the description, and what the other resources have to say. What the stack sets itself wins. */
function describeApp(
  { address }: Ground,
  { config, description }: DescribedApp,
  file: ReleaseFile,
  database: Postgres | PostgresDatabase | undefined,
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
      ...(config.secrets["SECRET_KEY"] === undefined && makeSecretKeys(config)),
      ...variables?.secret,
      ...directly?.secret,
      ...config.secrets,
    },
    files: database === undefined ? {} : { [databaseCaFile]: database.ca },
    migrate: direct && migrate ? directCommand(direct, migrate) : migrate,
  };
}

// Django does not start without one. Who has one already sets SECRET_KEY among the app's secrets. Letters and digits only,
// so that a comma can stand between the earlier ones, with which Django still reads what it signed.
function makeSecretKeys({
  key: app,
  secretKeyGenerations,
}: AppConfig): Readonly<Record<string, pulumi.Output<string>>> {
  const name = app === undefined ? "secret-key" : `${app}-secret-key`;
  const [key, ...earlier] = secretKeyGenerations.map(
    (generation) =>
      new random.RandomPassword(generationName(name, generation), { length: 64, special: false }).result,
  );
  if (key === undefined) throw new Error("secretKeyGenerations is empty");
  const fallbacks = pulumi.all(earlier).apply((keys) => keys.join(","));
  return { SECRET_KEY: key, ...(earlier.length > 0 && { SECRET_KEY_FALLBACKS: fallbacks }) };
}

function makeRelease(
  { config, host, acme }: Ground,
  { registry }: AppConfig,
  file: ReleaseFile,
  app: App,
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
      registry,
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
