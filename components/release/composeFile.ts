import { LineCounter, parseDocument } from "yaml";
import type { Problem } from "../app/problem";

/** A YAML mapping of which nothing is known yet. */
export type Mapping = Readonly<Record<string, unknown>>;

/** What a service mounts: a named volume, a path of the host, or neither (anonymous, tmpfs). */
export interface ComposeMount {
  readonly kind: "absolute" | "anonymous" | "relative" | "volume";
  readonly source: string;
  readonly target: string;
}

/** A service of a compose file, reduced to what decides how it can be released. */
export interface ComposeService {
  readonly name: string;
  /** As it stands in the file. */
  readonly raw: Mapping;
  readonly image: string | undefined;
  readonly profiles: readonly string[];
  readonly containerName: string | undefined;
  /** Service -> condition. */
  readonly dependsOn: Readonly<Record<string, string>>;
  /** Linked service and alias. */
  readonly links: readonly { readonly service: string; readonly text: string; readonly alias: string }[];
  /** Network -> its settings; undefined when the service says nothing and so is in `default`. */
  readonly networks: Readonly<Record<string, Mapping>> | undefined;
  readonly networkMode: string | undefined;
  readonly mounts: readonly ComposeMount[];
  readonly envFiles: readonly string[];
  /** Ports inside the container that are published on the host. */
  readonly publishedPorts: readonly string[];
}

/** A compose file, reduced likewise. */
export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, Mapping>>;
  readonly networks: Readonly<Record<string, Mapping>>;
  readonly raw: Mapping;
}

export function isMapping(value: unknown): value is Mapping {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value as text, when it is a scalar. */
export function scalarText(value: unknown): string | undefined {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? String(value)
    : undefined;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value)
    ? (value as readonly unknown[])
    : value === undefined || value === null
      ? []
      : [value];
}

function texts(value: unknown): string[] {
  return list(value).flatMap((item) => scalarText(item) ?? []);
}

function mappings(value: unknown): Record<string, Mapping> {
  return isMapping(value)
    ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, isMapping(item) ? item : {}]))
    : {};
}

/** Splits at colons, but not at those of `${VAR:-default}`. */
function splitColons(text: string): string[] {
  return text.match(/(?:\$\{[^}]*\}|[^:])+/g) ?? [];
}

function mountKind(source: string): ComposeMount["kind"] {
  const start = source.replace(/^\$\{\w+:?-/, "");
  return /^[.~]/.test(start) ? "relative" : /^[/$]/.test(start) ? "absolute" : "volume";
}

function readMount(value: unknown): ComposeMount[] {
  if (isMapping(value)) {
    const source = scalarText(value.source) ?? "";
    const target = scalarText(value.target) ?? "";
    if (value.type === "bind") {
      return [{ kind: /^[/$]/.test(source) ? mountKind(source) : "relative", source, target }];
    }
    const named = value.type === "volume" && source !== "";
    return [{ kind: named ? "volume" : "anonymous", source, target }];
  }
  const [source = "", target] = splitColons(scalarText(value) ?? "");
  return target === undefined
    ? [{ kind: "anonymous", source: "", target: source }]
    : [{ kind: mountKind(source), source, target }];
}

function readPort(value: unknown): string[] {
  if (isMapping(value)) {
    return value.target === undefined ? [] : [scalarText(value.target) ?? ""];
  }
  const target = splitColons(scalarText(value) ?? "").at(-1);
  return target === undefined ? [] : [target.replace(/\/\w+$/, "")];
}

function readDependsOn(value: unknown): Record<string, string> {
  if (!isMapping(value)) {
    return Object.fromEntries(texts(value).map((name) => [name, "service_started"]));
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      (isMapping(item) ? scalarText(item.condition) : undefined) ?? "service_started",
    ]),
  );
}

function readNetworks(value: unknown): Record<string, Mapping> | undefined {
  if (value === undefined || value === null) {
    return undefined;
  }
  return isMapping(value) ? mappings(value) : Object.fromEntries(texts(value).map((name) => [name, {}]));
}

function readService(name: string, raw: Mapping): ComposeService {
  return {
    name,
    raw,
    image: scalarText(raw.image),
    profiles: texts(raw.profiles),
    containerName: scalarText(raw.container_name),
    dependsOn: readDependsOn(raw.depends_on),
    links: texts(raw.links).map((text) => {
      const [service = "", alias = service] = text.split(":");
      return { service, text, alias };
    }),
    networks: readNetworks(raw.networks),
    networkMode: scalarText(raw.network_mode),
    mounts: list(raw.volumes).flatMap(readMount),
    envFiles: list(raw.env_file).flatMap((item) => scalarText(isMapping(item) ? item.path : item) ?? []),
    publishedPorts: list(raw.ports).flatMap(readPort),
  };
}

const whole = "a compose file with services, as `docker compose config` accepts it";

/** Reads the text of a compose file; `file` is undefined when it is none. */
export function readCompose(text: string): { file?: ComposeFile; problems: Problem[] } {
  const lineCounter = new LineCounter();
  // Compose files are read by a YAML 1.2 parser that still knows merge keys.
  const document = parseDocument(text, { merge: true, lineCounter, prettyErrors: false });
  const problems = document.errors.map((error) => ({
    path: `compose: line ${String(lineCounter.linePos(error.pos[0]).line)}`,
    received: error.message,
    accepted: "YAML",
    cure: "correct the compose file at this line",
  }));
  if (problems.length > 0) {
    return { problems };
  }
  const raw: unknown = document.toJS({ maxAliasCount: 1000 });
  if (!isMapping(raw) || !isMapping(raw.services) || Object.keys(raw.services).length === 0) {
    const received = raw === null || raw === undefined ? "an empty file" : "a file without services";
    return {
      problems: [{ path: "compose: services", received, accepted: whole, cure: "give the production file" }],
    };
  }
  const services = Object.entries(mappings(raw.services)).map(([name, item]) => [
    name,
    readService(name, item),
  ]);
  return {
    file: {
      services: Object.fromEntries(services) as Record<string, ComposeService>,
      volumes: mappings(raw.volumes),
      networks: mappings(raw.networks),
      raw,
    },
    problems: [],
  };
}
