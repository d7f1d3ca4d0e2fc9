import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { randomText } from "./resources/random";

type ConfigValue = null | boolean | number | string | ConfigValue[] | ConfigMap;
export interface ConfigMap {
  readonly [key: string]: ConfigValue;
}

export interface ConfigSource {
  /** Where Pulumi.yaml and Pulumi.<stack>.yaml are. */
  readonly programDirectory: string;
  readonly stack: string;
  /** Files of the form `config: {key: value}`, the later over the earlier. */
  readonly overlays: readonly string[];
  /** Values over everything else, in the same form. */
  readonly config?: ConfigMap;
  /** Makes a value once for this stack, or returns the one made before. */
  readonly generate: (key: string, make: () => string) => string;
  /** What `${acme.…}` and `${registry.…}` stand for. */
  readonly lookUp?: (name: string) => Promise<string>;
}

export interface StackConfig {
  readonly values: Readonly<Record<string, string>>;
  readonly secretKeys: readonly string[];
  /** Paths of the secrets that were made up, because those of the real stack cannot be decrypted here. */
  readonly generated: readonly string[];
}

export interface Project {
  readonly name: string;
  /** The file that the real Pulumi would run. */
  readonly entry: string;
}

/** Reads Pulumi.yaml and package.json as the real Pulumi does. Throws when there is no project. */
export function readProject(programDirectory: string): Project {
  const path = join(programDirectory, "Pulumi.yaml");
  if (!existsSync(path)) throw new Error(`${path} is missing: run this in the directory of a Pulumi project`);
  const project = readYaml(path);
  if (typeof project["name"] !== "string") throw new Error(`${path}: name: expected the project's name`);
  const manifest = join(programDirectory, "package.json");
  const main = project["main"] ?? (existsSync(manifest) ? readYaml(manifest)["main"] : undefined);
  const entry = join(programDirectory, typeof main === "string" ? main : "index.ts");
  return { name: project["name"], entry };
}

/**
 * The configuration of a stack in the sandbox: the stack's own file, then the overlays, then `config`. Maps are
 * merged key by key, `null` removes a key. Beside plain values a value may be `{secret: "…"}`, `{generate: length}`,
 * or `{secure: "…"}` as Pulumi writes it, which is answered with a generated secret.
 */
export async function readStackConfig(source: ConfigSource): Promise<StackConfig> {
  const { programDirectory, stack, overlays } = source;
  const project = readProject(programDirectory).name;
  const stackFile = join(programDirectory, `Pulumi.${stack}.yaml`);
  if (!existsSync(stackFile)) {
    throw new Error(
      `${stackFile} is missing: there is no stack "${stack}". Create the file, or name another stack.`,
    );
  }
  const layers = [stackFile, ...overlays].map((path) => section(readYaml(path), path));
  const merged = [...layers, source.config ?? {}]
    .map((layer) => withNamespaces(layer, project))
    .reduce<ConfigValue>((lower, upper) => merge(lower, upper), {}) as ConfigMap;

  const values: Record<string, string> = {};
  const secretKeys: string[] = [];
  const generated: string[] = [];
  for (const [key, value] of Object.entries(merged)) {
    const resolver = new Resolver(source, generated);
    const resolved = await resolver.resolve(value, key);
    values[key] = typeof resolved === "string" ? resolved : JSON.stringify(resolved);
    if (resolver.sawSecret) secretKeys.push(key);
  }
  return { values, secretKeys, generated };
}

class Resolver {
  sawSecret = false;

  constructor(
    private readonly source: ConfigSource,
    private readonly generated: string[],
  ) {}

  async resolve(value: ConfigValue, path: string): Promise<ConfigValue> {
    if (typeof value === "string") return this.fillIn(value);
    if (Array.isArray(value)) {
      return Promise.all(value.map((inner, index) => this.resolve(inner, `${path}[${index}]`)));
    }
    if (!isMap(value)) return value;
    if (typeof only(value, "secure") === "string") {
      this.generated.push(path);
      return this.make(path, 40);
    }
    const plain = only(value, "secret");
    if (typeof plain === "string") {
      this.sawSecret = true;
      return this.fillIn(plain);
    }
    const length = only(value, "generate");
    if (typeof length === "number") return this.make(path, length);
    const entries: [string, ConfigValue][] = [];
    for (const [key, inner] of Object.entries(value)) {
      entries.push([key, await this.resolve(inner, `${path}.${key}`)]);
    }
    return Object.fromEntries(entries);
  }

  private make(path: string, length: number): string {
    this.sawSecret = true;
    return this.source.generate(path, () => randomText({ length, special: false }));
  }

  private async fillIn(text: string): Promise<string> {
    const { lookUp } = this.source;
    if (!lookUp) return text;
    let filled = text;
    for (const [placeholder, name] of text.matchAll(/\$\{((?:acme|registry)\.[a-zA-Z]+)\}/g)) {
      const value = await lookUp(name ?? "");
      filled = filled.replace(placeholder, () => value);
    }
    return filled;
  }
}

function only(value: ConfigMap, key: string): ConfigValue | undefined {
  return Object.keys(value).length === 1 ? value[key] : undefined;
}

function isMap(value: ConfigValue | undefined): value is ConfigMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function merge(lower: ConfigValue, upper: ConfigValue): ConfigValue {
  if (!isMap(lower) || !isMap(upper) || isSpecial(lower) || isSpecial(upper)) return upper;
  const merged: Record<string, ConfigValue> = { ...lower };
  for (const [key, value] of Object.entries(upper)) {
    if (value === null) delete merged[key];
    else merged[key] = merge(merged[key] ?? null, value);
  }
  return merged;
}

function isSpecial(value: ConfigMap): boolean {
  return ["secure", "secret", "generate"].some((key) => only(value, key) !== undefined);
}

function section(file: ConfigMap, path: string): ConfigMap {
  const config = file["config"] ?? {};
  if (!isMap(config)) throw new Error(`${path}: config: expected a map of keys`);
  return config;
}

function withNamespaces(layer: ConfigMap, project: string): ConfigMap {
  return Object.fromEntries(
    Object.entries(layer).map(([key, value]) => [key.includes(":") ? key : `${project}:${key}`, value]),
  );
}

function readYaml(path: string): ConfigMap {
  const value = parse(readFileSync(path, "utf8")) as ConfigValue | undefined;
  if (value === null || value === undefined) return {};
  if (!isMap(value)) throw new Error(`${path}: expected a map`);
  return value;
}
