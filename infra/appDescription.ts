// What is shipped, as the app's own directory and the stack's `slipway:app` describe it.
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import type { App } from "../components/app";

const names = z.array(z.string().min(1), { error: "a list of names" });
const command = z.strictObject(
  { service: z.string(), command: z.array(z.string(), { error: "a list of words" }).min(1) },
  { error: "an object with service and command" },
);
// The values are checked by `validateApp`; here only their kinds, and that no key is misspelt.
const schema = z.strictObject({
  name: z.string({ error: "the name of the app" }),
  compose: z
    .string({ error: "the name of a compose file in the app's directory" })
    .default("docker-compose.prod.yml"),
  ingress: z.strictObject(
    { service: z.string(), port: z.int() },
    { error: "an object with service and port" },
  ),
  health: z.strictObject(
    { path: z.string(), host: z.string().optional(), timeoutSeconds: z.int().optional() },
    { error: "an object with at least `path`" },
  ),
  environment: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String))
    .default({}),
  migrate: command.optional(),
  backup: command.optional(),
  stateful: names.optional(),
  workers: names.optional(),
  singletons: names.optional(),
  perReleaseVolumes: names.optional(),
  drainSeconds: z.int().optional(),
  domains: names.optional(),
  limits: z
    .strictObject({ maxBodyMib: z.int().optional(), responseTimeoutSeconds: z.int().optional() })
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
 * @throws naming the file, or the key of the stack, with what was received and what is accepted.
 */
export function readAppDescription(
  stack: string,
  inline: Readonly<Record<string, unknown>> & { readonly directory: string },
): AppDescription {
  const file = path.join(inline.directory, "slipway.yaml");
  const own = readOwn(file);
  const merged = Object.fromEntries(
    Object.entries({ ...own, ...inline }).filter(([key]) => !ignored.includes(key)),
  );
  const parsed = schema.safeParse(merged, { reportInput: true });
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => describe(issue, stack, file, inline));
    throw new Error(["The app's description cannot be used:", ...lines].join("\n"));
  }
  const compose = path.join(inline.directory, parsed.data.compose);
  return { ...parsed.data, compose: readText(compose, stack, parsed.data.compose) };
}

function readOwn(file: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
  const own: unknown = parse(text);
  if (typeof own === "object" && own !== null && !Array.isArray(own)) return own as Record<string, unknown>;
  throw new Error(
    `${file}: received ${JSON.stringify(own)}; accepted: the keys of an app, such as \`name: shop\``,
  );
}

function readText(file: string, stack: string, received: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    throw new Error(
      `slipway:app.compose of stack ${stack}: received ${JSON.stringify(received)}, and there is no ${file}; accepted: the ` +
        "name of a compose file in slipway:app.directory. " +
        `Set it with: pulumi config set --stack ${stack} --path 'slipway:app.compose' VALUE`,
    );
  }
}

function describe(
  issue: z.core.$ZodIssue,
  stack: string,
  file: string,
  inline: Readonly<Record<string, unknown>>,
): string {
  const unknown = issue.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [];
  const path = [...issue.path, ...unknown].map(String);
  const known = issue.path.length === 0 ? `one of ${Object.keys(schema.shape).join(", ")}` : "no such key";
  const accepted = unknown.length > 0 ? known : issue.message;
  const [top = ""] = path;
  // Missing in both places: the file of the app is where it belongs.
  const ofStack = top in inline;
  const where = ofStack ? `slipway:app.${path.join(".")} of stack ${stack}` : `${path.join(".")} in ${file}`;
  const cure = ofStack
    ? `Set it with: pulumi config set --stack ${stack} --path 'slipway:app.${path.join(".")}' VALUE`
    : `Write it there, or set it with: pulumi config set --stack ${stack} --path 'slipway:app.${path.join(".")}' VALUE`;
  const received = issue.input === undefined ? "nothing" : JSON.stringify(issue.input);
  return `  ${where}: received ${unknown.length > 0 ? "an unknown key" : received}; accepted: ${accepted}. ${cure}`;
}
