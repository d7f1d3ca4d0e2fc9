import { existsSync, readFileSync } from "node:fs";
import { imageVariable } from "../../components/app";
import { readCompose } from "../../components/release/composeFile";
import { composeRoles } from "../../components/release/composeRoles";

interface Roles {
  readonly ingress: { readonly service: string };
  readonly stateful: readonly string[];
  readonly workers: readonly string[];
  readonly singletons: readonly string[];
  readonly environment?: Readonly<Record<string, unknown>>;
}

/**
 * `service -> image` of the services in the compose file that take part in a release and name an image which the app
 * does not build. What is wrong with the file is told when it is shipped.
 */
export function outsideImages(
  file: string,
  app: Roles,
  built: readonly string[],
): Readonly<Record<string, string>> {
  const compose = existsSync(file) ? readCompose(readFileSync(file, "utf8")).file : undefined;
  if (compose === undefined) return {};
  const texts = Object.entries(app.environment ?? {}).map(([name, value]) => [name, String(value)]);
  const environment = Object.fromEntries(texts) as Record<string, string>;
  const { leftOut } = composeRoles(compose, { ...app, ingress: { ...app.ingress, port: 0 }, environment });
  const ours = built.map(imageVariable);
  const found = Object.values(compose.services).flatMap(({ name, image }) => {
    const written =
      image === undefined || built.includes(name) ? undefined : writtenOut(image, environment, ours);
    return written === undefined || leftOut.includes(name) ? [] : [[name, written] as const];
  });
  return Object.fromEntries(found);
}

/** The image, when it stands in the file; `${WEB_IMAGE}` and the like are images that a release brings. */
function writtenOut(
  image: string,
  environment: Readonly<Record<string, string>>,
  ours: readonly string[],
): string | undefined {
  const [, variable = "", fallback = image] = /^\$\{(\w+):?-([^}]+)\}$/.exec(image) ?? [];
  const text = environment[variable] ?? fallback;
  return ours.includes(variable) || text.includes("$") ? undefined : text;
}
