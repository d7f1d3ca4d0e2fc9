import type { App } from "../app/app";
import { imageVariable } from "../app/environment";
import type { Problem } from "../app/problem";
import type { ComposeService } from "./composeFile";

interface Reference {
  readonly name: string;
  /** What follows the name: `:-default`, `:?error` and the like. */
  readonly modifier: string;
}

/** The variables that compose would fill into a text. `$$` is a dollar sign. */
function references(value: unknown): Reference[] {
  if (typeof value === "string") {
    return [...value.matchAll(/\$(?:\$|\{(\w+)([^}]*)\}|([A-Za-z_]\w*))/g)].flatMap((match) => {
      const name = match[1] ?? match[3];
      return name === undefined ? [] : { name, modifier: match[2] ?? "" };
    });
  }
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(references) : [];
}

/** The names that have a value when compose reads the file. */
function provided(app: App): ReadonlySet<string> {
  return new Set([
    ...Object.keys(app.environment ?? {}),
    ...Object.keys(app.secrets ?? {}),
    ...Object.keys(app.images).map(imageVariable),
    "SLIPWAY_RELEASE",
  ]);
}

function isMissing({ name, modifier }: Reference, given: ReadonlySet<string>): boolean {
  return !given.has(name) && !/^:?[-+]/.test(modifier);
}

/** Variables without which compose refuses the file, or would run no image at all. */
export function variableProblems(service: ComposeService, app: App): Problem[] {
  const given = provided(app);
  const images = references(service.image)
    .filter((reference) => !app.images[service.name] && isMissing(reference, given))
    .map(({ name }) => ({
      path: `compose: services.${service.name}.image`,
      received: `\${${name}}, which has no value`,
      accepted: `variables of images (${Object.keys(app.images).map(imageVariable).join(", ")}), environment and secrets`,
      cure: /_IMAGE$/.test(name)
        ? `name the image ${name.replace(/_IMAGE$/, "").toLowerCase()} in images`
        : `set ${name} in environment`,
    }));
  const required = references({ ...service.raw, image: undefined })
    .filter((reference) => /^:?\?/.test(reference.modifier) && !given.has(reference.name))
    .map(({ name }) => ({
      path: `compose: services.${service.name}`,
      received: `\${${name}}, which it calls required and which has no value`,
      accepted: "a value for every required variable",
      cure: `set ${name} in environment or secrets`,
    }));
  return [...images, ...required];
}

/** Variables that compose would silently leave empty. */
export function emptyVariables(services: readonly ComposeService[], app: App): readonly string[] {
  const given = provided(app);
  const missing = services.flatMap(({ raw }) => references(raw).filter((found) => isMissing(found, given)));
  return [...new Set(missing.map(({ name }) => name))];
}
