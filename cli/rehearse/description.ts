import { existsSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { usageError } from "../errors";
import { outsideImages } from "./outsideImages";

/** What has to be built for one image of the app. */
export interface BuildSpec {
  /** Directory of the build context. */
  readonly context: string;
  /** Path of the Dockerfile. */
  readonly dockerfile: string;
}

/** What the load client asks of the app. */
export interface RequestsSpec {
  readonly get: readonly { readonly path: string; readonly contains?: string }[];
  /** Pages whose static files must still answer when the release that named them is gone. */
  readonly static: readonly string[];
  readonly slow?: string;
  readonly upload?: { readonly path: string; readonly field: string; readonly contains?: string };
  /** Nothing was said about the app: any answer below 400 is a good one. */
  readonly guessed: boolean;
}

/** The part of an app's description that only the rehearsal reads. */
export interface AppDescription {
  readonly directory: string;
  readonly healthPath: string;
  /** Name of the image that runs Django: the one that is broken on purpose. */
  readonly djangoImage: string;
  readonly build: Readonly<Record<string, BuildSpec>>;
  /** `service -> image` of the compose file's services that run an image of others, such as `postgres:16`. */
  readonly outside: Readonly<Record<string, string>>;
  /** Services that a release leaves as they are: their images are the same in each. */
  readonly stateful: readonly string[];
  /** Keys of the stack, without `slipway:`, laid over it for the rehearsal; null takes one away. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The old release stops before the new one starts: requests wait, and slow ones end before the switch. */
  readonly recreate: boolean;
  readonly requests: RequestsSpec;
}

const urlPath = z.string().regex(/^\//, "a path that begins with /");
const page = z.union([
  urlPath.transform((value) => ({ path: value })),
  z.strictObject({ path: urlPath, contains: z.string().min(1).optional() }),
]);
const buildSchema = z.record(
  z.string(),
  z.strictObject({ context: z.string().default("."), dockerfile: z.string().default("Dockerfile") }),
);
const rehearseSchema = z.strictObject({
  config: z.record(z.string(), z.unknown()).default({}),
  get: z.array(page).min(1).optional(),
  static: z.array(urlPath).default([]),
  slow: urlPath.optional(),
  upload: z
    .strictObject({ path: urlPath, field: z.string().min(1), contains: z.string().min(1).optional() })
    .optional(),
});
const services = z.array(z.string()).default([]);
const schema = z.looseObject({
  compose: z.string().default("docker-compose.prod.yml"),
  health: z.looseObject({ path: urlPath }),
  migrate: z.looseObject({ service: z.string() }).optional(),
  ingress: z.looseObject({ service: z.string() }),
  strategy: z.string().optional(),
  stateful: services,
  workers: services,
  singletons: services,
  environment: z.record(z.string(), z.unknown()).optional(),
  build: buildSchema.optional(),
  rehearse: rehearseSchema.prefault({}),
});

/**
 * Reads what the rehearsal has to know of an app: `<directory>/slipway.yaml`, where the keys of the stack's
 * `slipway:app` win.
 * @throws naming the key when the description cannot be followed.
 */
export function readDescription(
  directory: string,
  inline: Readonly<Record<string, unknown>> = {},
): AppDescription {
  const file = path.join(directory, "slipway.yaml");
  const own = existsSync(file) ? (parse(readFileSync(file, "utf8")) as Record<string, unknown> | null) : {};
  const parsed = schema.safeParse({ ...own, ...inline });
  if (!parsed.success) throw unreadable(file, parsed.error);
  const { health, ingress, migrate, stateful } = parsed.data;
  const { config, ...rehearse } = parsed.data.rehearse;
  const build = resolveBuild(directory, file, parsed.data.build ?? buildsOfCompose(directory));
  return {
    directory,
    healthPath: health.path,
    djangoImage: djangoImage(Object.keys(build), migrate?.service, ingress.service),
    build,
    outside: outsideImages(path.join(directory, parsed.data.compose), parsed.data, Object.keys(build)),
    stateful,
    config,
    recreate: parsed.data.strategy === "recreate",
    requests: {
      ...rehearse,
      get: rehearse.get ?? [health.path, "/"].map((value) => ({ path: value })),
      guessed: rehearse.get === undefined,
    },
  };
}

function resolveBuild(
  directory: string,
  file: string,
  builds: Readonly<Record<string, { context: string; dockerfile: string }>>,
): Record<string, BuildSpec> {
  if (Object.keys(builds).length === 0) {
    throw usageError("nothing says how the app's images are built", {
      received: file,
      accepted: "build: {<image>: {context: <directory>, dockerfile: <file in it>}}",
      cure: `add a "build" section to ${file}`,
    });
  }
  return Object.fromEntries(
    Object.entries(builds).map(([name, { context, dockerfile }]) => {
      const at = path.resolve(directory, context);
      const spec = { context: at, dockerfile: path.resolve(at, dockerfile) };
      if (!existsSync(spec.dockerfile)) {
        throw usageError(`the Dockerfile of the image "${name}" is missing`, {
          received: spec.dockerfile,
          accepted: "a Dockerfile, named relative to its context",
          cure: `put build.${name}.context and build.${name}.dockerfile right in ${file}`,
        });
      }
      return [name, spec];
    }),
  );
}

/** The classic repositories describe their builds in the compose file of their pipeline. */
function buildsOfCompose(directory: string): Record<string, { context: string; dockerfile: string }> {
  const file = ["docker-compose.ci.yml", "docker-compose.ci.yaml"]
    .map((name) => path.join(directory, name))
    .find((name) => existsSync(name));
  if (file === undefined) return {};
  const compose = parse(readFileSync(file, "utf8")) as { services?: Record<string, { build?: unknown }> };
  const builds = Object.entries(compose.services ?? {}).flatMap(([name, { build }]) => {
    if (typeof build === "string") return [[name, { context: build, dockerfile: "Dockerfile" }] as const];
    const { context = ".", dockerfile = "Dockerfile" } = (build ?? {}) as {
      context?: string;
      dockerfile?: string;
    };
    return build === undefined ? [] : [[name, { context, dockerfile }] as const];
  });
  return Object.fromEntries(builds);
}

function djangoImage(images: readonly string[], migrates: string | undefined, ingress: string): string {
  const candidates = [migrates, "web", ...images.filter((name) => name !== ingress), ...images];
  return candidates.find((name) => name !== undefined && images.includes(name)) as string;
}

function unreadable(file: string, error: z.ZodError): Error {
  const [issue] = error.issues;
  return usageError(`the app's description cannot be followed: ${issue?.path.join(".")}: ${issue?.message}`, {
    received: file,
    accepted: "the keys of App, and for the rehearsal `build` and `rehearse`",
    cure: `put ${issue?.path.join(".") || "the file"} right, in ${file} or in the stack's slipway:app`,
  });
}
