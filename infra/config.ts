// The only reader of the stack's configuration.
import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import { appContradictions, readApps, type AppConfig, type ConfigProblem, type Parsed } from "./appConfig";
import { configSchema, secretPaths } from "./configSchema";

const namespace = "slipway";

/** The stack's configuration, checked. What is secret is a secret Output. */
export interface StackConfig extends Omit<
  Parsed,
  "host" | "app" | "apps" | "environment" | "secrets" | "secretKeyGenerations" | "registry" | "releasesFile"
> {
  readonly stack: string;
  /** At least one: that of `slipway:app` first. */
  readonly apps: readonly AppConfig[];
  readonly host: Omit<Parsed["host"], "privateKey" | "existing"> & {
    readonly privateKey?: pulumi.Output<string>;
    readonly existing?: Omit<NonNullable<Parsed["host"]["existing"]>, "privateKey"> & {
      readonly privateKey: pulumi.Output<string>;
    };
  };
}

/**
 * Reads and checks the configuration of a stack.
 * @throws one error with all problems: each names the key, the stack, what was received and what is accepted, and the
 * command that sets it.
 */
export function readConfig(stack = pulumi.getStack()): StackConfig {
  const { values, problems } = readRaw();
  const parsed = configSchema.safeParse(values);
  if (parsed.success) problems.push(...contradictions(parsed.data), ...appContradictions(stack, parsed.data));
  else problems.push(...parsed.error.issues.flatMap((issue) => describeIssue(issue, values)));
  if (!parsed.success || problems.length > 0) throw new Error(formatProblems(stack, problems));
  return withSecrets(stack, parsed.data);
}

/** Every key of the namespace. Values of more than a word arrive as JSON, the others as their text. */
function readRaw(): { values: Record<string, unknown>; problems: ConfigProblem[] } {
  const values: Record<string, unknown> = {};
  const problems: ConfigProblem[] = [];
  for (const [key, value] of Object.entries(pulumi.runtime.allConfig())) {
    if (!key.startsWith(`${namespace}:`)) continue;
    const name = key.slice(namespace.length + 1);
    values[name] = parseValue(value);
    if (isEncrypted(key)) continue;
    for (const path of secretPaths.filter((secret) => secret.split(".")[0] === name)) {
      for (const found of expand(path, values)) {
        problems.push({
          path: found,
          received: "a value in the clear",
          accepted: "a value set with --secret",
        });
      }
    }
  }
  return { values, problems };
}

function parseValue(text: string): unknown {
  if (!/^(\{|\[|true$|false$|-?\d+$)/.test(text)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** Whether a key was set with --secret. The function is not in the SDK's types, though it is what `Config` uses. */
function isEncrypted(key: string): boolean {
  const { isConfigSecret } = pulumi.runtime as unknown as { isConfigSecret?: (key: string) => boolean };
  return isConfigSecret?.(key) ?? true;
}

/** The paths that exist: `secrets.*` becomes one for each secret. */
function expand(path: string, values: unknown): string[] {
  return path
    .split(".")
    .reduce<string[][]>(
      (found, part) =>
        found.flatMap((parent) => {
          const object = valueAt(values, parent);
          if (typeof object !== "object" || object === null) return [];
          const keys = Object.keys(object).filter((key) => part === "*" || key === part);
          return keys.map((key) => [...parent, key]);
        }),
      [[]],
    )
    .map((found) => found.join("."));
}

function valueAt(values: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    values,
  );
}

function describeIssue(issue: z.core.$ZodIssue, values: unknown): ConfigProblem[] {
  if (issue.code === "unrecognized_keys") {
    const known = issue.path.length === 0 ? Object.keys(configSchema.shape).join(", ") : "no such key";
    return issue.keys.map((key) => {
      const path = dotted([...issue.path, key]);
      return {
        path,
        received: "an unknown key",
        accepted: issue.path.length === 0 ? `one of ${known}` : known,
        remove: true,
      };
    });
  }
  const path = dotted(issue.path);
  return [{ path, received: show(path, valueAt(values, issue.path)), accepted: issue.message }];
}

const dropletOnly = [
  "size",
  "image",
  "vpc",
  "sshFrom",
  "privateKey",
  "deployKeyGenerations",
  "hostKeyGenerations",
  "generation",
  "monitoring",
  "backups",
  "mediaVolumeGib",
] as const;

/** What is right by itself and not together. */
function contradictions({ host, database }: Parsed): ConfigProblem[] {
  if (host.existing === undefined) return [];
  const accepted = "nothing beside slipway:host.existing: it is for droplets";
  const problems: ConfigProblem[] = dropletOnly
    .filter((key) => host[key] !== undefined)
    .map((key) => {
      const path = `host.${key}`;
      return { path, received: show(path, host[key]), accepted, remove: true };
    });
  if (host.reservedIp) problems.push({ path: "host.reservedIp", received: "true", accepted, remove: true });
  if (database !== undefined) {
    problems.push({
      path: "database",
      received: "an object",
      accepted:
        "nothing beside slipway:host.existing: a managed database lets in droplets only. Name yours in slipway:secrets",
      remove: true,
    });
  }
  return problems;
}

/** A path as `pulumi config --path` takes it. */
export function dotted(path: readonly PropertyKey[]): string {
  return path
    .map((key, index) => (typeof key === "number" ? `[${key}]` : (index > 0 ? "." : "") + String(key)))
    .join("");
}

/** Whether a secret stands there, above it or below: `secrets` holds what `secrets.*` names. */
function isSecretPath(path: string): boolean {
  const parts = path.split(".");
  return secretPaths.some((secret) => {
    const pattern = secret.split(".");
    const holdsAny = pattern.at(-1) === "*" && parts.length === pattern.length - 1;
    const long = holdsAny ? parts : pattern;
    return parts.length >= long.length && long.every((_, i) => pattern[i] === "*" || pattern[i] === parts[i]);
  });
}

function show(path: string, value: unknown): string {
  if (value === undefined) return "nothing";
  // An object may hold a secret further down.
  if (isSecretPath(path) || typeof value === "object")
    return isSecretPath(path) ? "a secret value" : "an object or list";
  return JSON.stringify(value);
}

function formatProblems(stack: string, problems: readonly ConfigProblem[]): string {
  const lines = problems.map(({ path, received, accepted, remove }) => {
    const key = `${namespace}:${path}`;
    const command = remove
      ? `pulumi config rm --stack ${stack} --path '${key}'`
      : `pulumi config set --stack ${stack} ${isSecretPath(path) ? "--secret " : ""}--path '${key}' ${isSecretPath(path) ? "" : "VALUE"}`;
    return `  ${key} of stack ${stack}: received ${received}; accepted: ${accepted}. ${remove ? "Remove" : "Set"} it with: ${command.trim()}`;
  });
  return [`The configuration of stack ${stack} (Pulumi.${stack}.yaml) cannot be used:`, ...lines].join("\n");
}

function withSecrets(stack: string, parsed: Parsed): StackConfig {
  const { host } = parsed;
  return {
    ...parsed,
    stack,
    apps: readApps(stack, parsed),
    host: {
      ...host,
      privateKey: host.privateKey === undefined ? undefined : pulumi.secret(host.privateKey),
      existing: host.existing && { ...host.existing, privateKey: pulumi.secret(host.existing.privateKey) },
    },
  };
}
