// What the stack says of each of its apps: `slipway:app` with the keys beside it, and every entry of `slipway:apps`.
import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import { validateAppName } from "../components/app/validateApp";
import type { RegistryLogin } from "../components/release";
import { ownKeysOfApps, type configSchema } from "./configSchema";

export type Parsed = z.infer<typeof configSchema>;
type Contract = NonNullable<Parsed["database"]>["contract"];

/** One app of the stack. What is secret is a secret Output. */
export interface AppConfig {
  /** Where it stands below `slipway:`: `app`, or `apps.<name>`. */
  readonly path: string;
  /** Its key in `slipway:apps`, which is its name; absent for `slipway:app`, which has a name of its own. */
  readonly key?: string;
  /** The keys of its description that the stack sets. */
  readonly description: Readonly<Record<string, unknown>> & { readonly directory: string };
  readonly releasesFile: string;
  /** Plain variables over those of the description. */
  readonly environment: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, pulumi.Output<string>>>;
  /** Of the SECRET_KEY that is made here: the first is in use. */
  readonly secretKeyGenerations: readonly number[];
  readonly registry?: RegistryLogin;
  /** Absent when the app brings its own, or none. */
  readonly database?: Pick<
    NonNullable<Parsed["database"]>,
    "name" | "extensions" | "pool" | "loginGeneration" | "closedLoginGeneration"
  > & {
    readonly contract: Contract;
  };
}

/** One thing that is wrong with the configuration. */
export interface ConfigProblem {
  /** Dotted path below the namespace, such as `host.size`. */
  readonly path: string;
  readonly received: string;
  readonly accepted: string;
  readonly remove?: boolean;
}

/** The apps of a stack: that of `slipway:app` first, the others by name. */
export function readApps(stack: string, parsed: Parsed): AppConfig[] {
  const several = Object.entries(parsed.apps).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    ...(parsed.app === undefined ? [] : [ownApp(stack, parsed, parsed.app)]),
    ...several.map(([key, app]): AppConfig => {
      const { secrets, secretKeyGenerations, registry = parsed.registry, releasesFile, database } = app;
      return {
        path: `apps.${key}`,
        key,
        description: { ...without(app, ownKeysOfApps), name: key, directory: app.directory },
        releasesFile: releasesFile ?? defaultReleasesFile(stack, key),
        environment: {},
        secrets: asSecrets(secrets),
        secretKeyGenerations,
        registry: registry && { ...registry, password: pulumi.secret(registry.password) },
        database: database && {
          ...database,
          contract: database.contract ?? parsed.database?.contract ?? "SQL",
        },
      };
    }),
  ];
}

function ownApp(stack: string, parsed: Parsed, description: NonNullable<Parsed["app"]>): AppConfig {
  const { environment, secrets, secretKeyGenerations, registry, releasesFile, database } = parsed;
  return {
    path: "app",
    description,
    environment,
    releasesFile: releasesFile ?? defaultReleasesFile(stack),
    secrets: asSecrets(secrets),
    secretKeyGenerations,
    registry: registry && { ...registry, password: pulumi.secret(registry.password) },
    database,
  };
}

function defaultReleasesFile(stack: string, key?: string): string {
  return key === undefined ? `releases/${stack}.yaml` : `releases/${stack}/${key}.yaml`;
}

function asSecrets(values: Readonly<Record<string, string>>): Record<string, pulumi.Output<string>> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, pulumi.secret(value)]));
}

function without(values: object, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([key]) => !keys.includes(key)));
}

/** What is right by itself and not together, of the apps. What their descriptions say comes later. */
export function appContradictions(stack: string, parsed: Parsed): ConfigProblem[] {
  return [
    ...(parsed.app === undefined ? withoutOwnApp(parsed) : []),
    ...Object.keys(parsed.apps).flatMap((key) => entryProblems(parsed, key)),
    ...sharedFiles(stack, parsed),
  ];
}

// These keys say something of slipway:app alone.
function withoutOwnApp({
  apps,
  environment,
  secrets,
  secretKeyGenerations,
  releasesFile,
  database,
}: Parsed): ConfigProblem[] {
  if (Object.keys(apps).length === 0) {
    const accepted = "an object with at least `directory`, or several of them by name in slipway:apps";
    return [{ path: "app", received: "nothing", accepted }];
  }
  const set = [
    ...Object.keys(environment).map((name) => `environment.${name}`),
    ...Object.keys(secrets).map((name) => `secrets.${name}`),
    ...(releasesFile === undefined ? [] : ["releasesFile"]),
    ...(String(secretKeyGenerations) === "1" ? [] : ["secretKeyGenerations"]),
    ...(["name", "extensions", "pool", "loginGeneration", "closedLoginGeneration"] as const)
      .filter((name) => database?.[name] !== undefined)
      .map((name) => `database.${name}`),
  ];
  return set.map((path) => ({
    path,
    received: "a value",
    accepted: `nothing without slipway:app; each app has its own: slipway:apps.<name>.${path}`,
    remove: true,
  }));
}

function entryProblems({ apps, database }: Parsed, key: string): ConfigProblem[] {
  const path = `apps.${key}`;
  const app = apps[key];
  const problems: ConfigProblem[] = validateAppName(path, key).map(({ accepted }) => ({
    path,
    received: `the name ${JSON.stringify(key)}`,
    accepted,
    remove: true,
  }));
  if (app?.["name"] !== undefined) {
    const accepted = `nothing: the app's name is its key, ${key}`;
    problems.push({ path: `${path}.name`, received: JSON.stringify(app["name"]), accepted, remove: true });
  }
  if (app?.database !== undefined && database === undefined) {
    const accepted = "nothing without slipway:database, the cluster that it would be on";
    problems.push({ path: `${path}.database`, received: "an object", accepted, remove: true });
  }
  return problems;
}

// Two apps that read one file would not have release numbers of their own.
function sharedFiles(stack: string, parsed: Parsed): ConfigProblem[] {
  const files = [
    ...(parsed.app === undefined ? [] : [{ path: "releasesFile", file: parsed.releasesFile }]),
    ...Object.entries(parsed.apps).map(([key, { releasesFile }]) => ({
      path: `apps.${key}.releasesFile`,
      file: releasesFile ?? defaultReleasesFile(stack, key),
    })),
  ].map(({ path, file }) => ({ path, file: file ?? defaultReleasesFile(stack) }));
  return files
    .filter(({ file }, index) => files.findIndex((other) => other.file === file) < index)
    .map(({ path, file }) => ({
      path,
      received: `${JSON.stringify(file)} a second time`,
      accepted: "a file for each app",
    }));
}
