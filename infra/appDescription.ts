// What is shipped, as the app's own directory and the stack's `slipway:app` or `slipway:apps` describe it.
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import type { App } from "../components/app";
import { dotted } from "./config";

// An `error` for every part: the library's own texts tell neither what is meant nor what to do.
const text = (accepted: string) => z.string({ error: accepted }).min(1, { error: accepted });
const whole = (accepted: string) => z.int({ error: accepted });
const texts = (accepted: string, each: string) => z.array(text(each), { error: accepted });
const services = texts("a list of services", "the name of a service");
const command = z.strictObject(
  {
    service: text("the name of a service"),
    command: z.array(z.string({ error: "a word; write a number in quotes" }), { error: "a list of words" }),
  },
  { error: "an object with service and command" },
);
// The values are checked by `validateApp`; here only their kinds, and that no key is misspelt.
const schema = z.strictObject({
  name: text("the name of the app"),
  compose: text("the name of a compose file in the app's directory").default("docker-compose.prod.yml"),
  ingress: z.strictObject(
    { service: text("the name of a service"), port: whole("a port") },
    { error: "an object with service and port" },
  ),
  health: z.strictObject(
    {
      path: text("a path such as /healthz"),
      host: text("a host name").optional(),
      timeoutSeconds: whole("a whole number of seconds").optional(),
    },
    { error: "an object with at least `path`" },
  ),
  environment: z
    .record(
      z.string(),
      z
        .union([z.string(), z.number(), z.boolean()], { error: "a text, a number, true or false" })
        .transform(String),
      { error: "an object of variables" },
    )
    .default({}),
  migrate: command.optional(),
  backup: command.optional(),
  stateful: services.optional(),
  workers: services.optional(),
  singletons: services.optional(),
  perReleaseVolumes: texts("a list of volumes", "the name of a volume").optional(),
  adopt: z
    .strictObject({ project: text("the name of a compose project") }, { error: "an object with project" })
    .optional(),
  strategy: z
    .enum(["blue-green", "recreate"], { error: "blue-green, or recreate for an app that cannot run twice" })
    .optional(),
  drainSeconds: whole("a whole number of seconds").optional(),
  domains: texts("a list of host names", "a host name").optional(),
  limits: z
    .strictObject(
      {
        maxBodyMib: whole("a whole number of MiB").optional(),
        responseTimeoutSeconds: whole("a whole number of seconds").optional(),
      },
      { error: "an object with maxBodyMib or responseTimeoutSeconds" },
    )
    .optional(),
});
// Only the rehearsal reads these.
const ignored = ["directory", "build", "rehearse"];

/** The plain part of an App: what does not depend on a resource. */
export type AppDescription = Omit<App, "images" | "environment" | "secrets" | "files"> & {
  readonly environment: Readonly<Record<string, string>>;
};

/**
 * Reads `<directory>/slipway.yaml`, when it is there, lays the keys of the stack over it and reads the compose file.
 * `at` is where the keys stand in the stack's configuration.
 * @throws naming the file, or the key of the stack, with what was received and what is accepted.
 */
export function readAppDescription(
  stack: string,
  inline: Readonly<Record<string, unknown>> & { readonly directory: string },
  at = "app",
): AppDescription {
  const file = path.join(inline.directory, "slipway.yaml");
  const own = readOwn(file);
  const merged = Object.fromEntries(
    Object.entries({ ...own, ...inline }).filter(([key]) => !ignored.includes(key)),
  );
  const parsed = schema.safeParse(merged, { reportInput: true });
  if (!parsed.success) {
    const lines = parsed.error.issues.flatMap((issue) => describe(issue, { stack, file, inline, at }));
    throw new Error(["The app's description cannot be used:", ...lines].join("\n"));
  }
  const compose = path.join(inline.directory, parsed.data.compose);
  return { ...parsed.data, compose: readText(compose, stack, parsed.data.compose, at) };
}

function readOwn(file: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
  const own = parseOwn(file, text);
  if (typeof own === "object" && own !== null && !Array.isArray(own)) return own as Record<string, unknown>;
  throw new Error(
    `${file}: received ${JSON.stringify(own)}; accepted: the keys of an app, such as \`name: shop\``,
  );
}

function parseOwn(file: string, text: string): unknown {
  try {
    return parse(text) as unknown;
  } catch (error) {
    const [cause = ""] = (error as Error).message.split("\n");
    throw new Error(
      `${file}: received what is no YAML: ${cause.replace(/:$/, "")}; accepted: the keys of an app, such as \`name: shop\`. ` +
        "Correct that line of the file",
      { cause: error },
    );
  }
}

function readText(file: string, stack: string, received: string, at: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    throw new Error(
      `slipway:${at}.compose of stack ${stack}: received ${JSON.stringify(received)}, and there is no ${file}; accepted: the ` +
        `name of a compose file in slipway:${at}.directory. ` +
        `Set it with: pulumi config set --stack ${stack} --path 'slipway:${at}.compose' VALUE`,
    );
  }
}

interface Place {
  readonly stack: string;
  readonly file: string;
  readonly inline: Readonly<Record<string, unknown>>;
  readonly at: string;
}

function describe(issue: z.core.$ZodIssue, { stack, file, inline, at }: Place): string[] {
  const line = (
    path: readonly PropertyKey[],
    received: string,
    accepted: string,
    remove: boolean,
  ): string => {
    const key = dotted(path);
    const ofStack = String(path[0]) in inline;
    const where = ofStack ? `slipway:${at}.${key} of stack ${stack}` : `${key} in ${file}`;
    const set = `pulumi config set --stack ${stack} --path 'slipway:${at}.${key}' VALUE`;
    const rm = `pulumi config rm --stack ${stack} --path 'slipway:${at}.${key}'`;
    // Missing in both places: the file of the app is where it belongs.
    const ofFile = remove ? "Take it out there" : `Write it there, or set it with: ${set}`;
    const cure = ofStack ? (remove ? `Remove it with: ${rm}` : `Set it with: ${set}`) : ofFile;
    return `  ${where}: received ${received}; accepted: ${accepted}. ${cure}`;
  };
  if (issue.code === "unrecognized_keys") {
    const accepted =
      issue.path.length === 0 ? `one of ${Object.keys(schema.shape).join(", ")}` : "no such key";
    return issue.keys.map((key) => line([...issue.path, key], "an unknown key", accepted, true));
  }
  const received = issue.input === undefined ? "nothing" : JSON.stringify(issue.input);
  return [line(issue.path, received, issue.message, false)];
}
