// What apps of one host must not share. Each by itself may be right.
import { readCompose } from "../components/release/composeFile";
import { releaseVolumes } from "../components/release/composeVolumes";
import type { AppConfig } from "./appConfig";
import type { AppDescription } from "./appDescription";

/** An app with all that its files say. */
export interface DescribedApp {
  readonly config: AppConfig;
  readonly description: AppDescription;
}

/** Name of an app's database on the cluster; undefined when it has none there. */
export function databaseName({ config, description }: DescribedApp): string | undefined {
  return config.database && (config.database.name ?? description.name.replaceAll("-", "_"));
}

interface Claim {
  /** Key of the configuration that says so, below `slipway:`. */
  readonly path: string;
  readonly received: string;
  readonly by: string;
}

/** @throws naming each key that is taken already, who has it, and the command that sets another. */
export function refuseClashes(stack: string, apps: readonly DescribedApp[]): void {
  const bare = apps
    .filter(({ description }) => (description.domains ?? []).length === 0)
    .map(({ config }) => claim(config, "domains[0]", "nothing"));
  const domains = apps.flatMap(({ config, description }) =>
    (description.domains ?? []).map((domain, index) => claim(config, `domains[${String(index)}]`, domain)),
  );
  const names = apps.map(({ config, description }) => claim(config, "name", description.name));
  const databases = apps.flatMap((app) => {
    const name = databaseName(app);
    const path = app.config.key === undefined ? "database.name" : `${app.config.path}.database.name`;
    return name === undefined ? [] : [{ path, received: name, by: `slipway:${app.config.path}` }];
  });
  const volumes = apps.flatMap(({ config, description }) =>
    volumeNames(description).map((name) => claim(config, "compose", name)),
  );
  const problems = [
    ...taken(bare, "a domain: one app of a host answers at its address without a name, and", "does already"),
    ...taken(domains, "a domain of its own:", "has this one"),
    ...taken(names, "a name of its own:", "has this one"),
    ...taken(databases, "a database of its own:", "has this one"),
    ...taken(
      volumes,
      "volumes of its own, or an external one that both are meant to have:",
      "has the volume of this name",
    ),
  ];
  if (problems.length === 0) return;
  const lines = problems.map(({ path, received, accepted }) => {
    const set = `pulumi config set --stack ${stack} --path 'slipway:${path}' VALUE`;
    return `  slipway:${path} of stack ${stack}: received ${received}; accepted: ${accepted}. Set it with: ${set}`;
  });
  throw new Error([`The apps of stack ${stack} cannot share a host:`, ...lines].join("\n"));
}

// A compose file that cannot be read is refused by the release, with its line.
function volumeNames(description: AppDescription): string[] {
  const { file } = readCompose(description.compose);
  if (file === undefined) return [];
  return releaseVolumes(file, description)
    .filter(({ external, perRelease }) => !external && !perRelease)
    .map(({ name }) => name.replaceAll("${SLIPWAY_APP}", description.name));
}

function claim(config: AppConfig, key: string, received: string): Claim {
  return { path: `${config.path}.${key}`, received, by: `slipway:${config.path}` };
}

function taken(claims: readonly Claim[], what: string, has: string) {
  return claims.flatMap(({ path, received }, index) => {
    const first = claims.findIndex((other) => other.received === received);
    const shown = received === "nothing" ? received : JSON.stringify(received);
    return first < index ? [{ path, received: shown, accepted: `${what} ${claims[first]?.by} ${has}` }] : [];
  });
}
