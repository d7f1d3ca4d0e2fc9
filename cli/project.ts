import { existsSync, readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { usageError } from "./errors";

/** The directory of the Pulumi project that `from` is in: the nearest one upwards that holds a Pulumi.yaml. */
export function findProject(from: string): string {
  for (let directory = path.resolve(from); ; directory = path.dirname(directory)) {
    if (existsSync(path.join(directory, "Pulumi.yaml"))) return directory;
    if (path.dirname(directory) === directory) {
      throw usageError("there is no Pulumi project here", {
        received: path.resolve(from),
        accepted: "a directory with a Pulumi.yaml, or one below it",
        cure: "change to the directory of your infra project and run this again",
      });
    }
  }
}

/** Path of the stack's config file. @throws naming the stacks that there are when there is none of this name. */
export function stackConfigPath(project: string, stack: string): string {
  const file = path.join(project, `Pulumi.${stack}.yaml`);
  if (existsSync(file)) return file;
  const stacks = readdirSync(project).flatMap((name) => /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1] ?? []);
  throw usageError(`there is no stack "${stack}"`, {
    received: `--stack ${stack}`,
    accepted: stacks.length > 0 ? stacks.join(", ") : "a stack that has a Pulumi.<stack>.yaml",
    cure: `name one of these, or write Pulumi.${stack}.yaml`,
  });
}

/** One key of the stack's config in the clear, such as `slipway:releasesFile`. */
export function stackConfigValue(project: string, stack: string, key: string): unknown {
  const file = stackConfigPath(project, stack);
  const content = parse(readFileSync(file, "utf8")) as { config?: Record<string, unknown> } | null;
  return content?.config?.[key];
}

/** One app of a stack. */
export interface StackApp {
  /** Its key in `slipway:apps`; absent for that of `slipway:app`. */
  readonly key?: string;
  /** Its name on the host, as far as the files of the project tell it. */
  readonly name: string;
  /** Path of the file that says what it shall run. */
  readonly releasesFile: string;
}

/** The apps of a stack: that of `slipway:app` first, the others by name. */
export function stackApps(project: string, stack: string): StackApp[] {
  const value = (key: string): unknown => stackConfigValue(project, stack, `slipway:${key}`);
  const [own, several] = [value("app"), value("apps")];
  const file = (configured: unknown, standard: string): string =>
    path.resolve(project, typeof configured === "string" ? configured : standard);
  const others = Object.entries(isMap(several) ? several : {}).sort(([a], [b]) => (a < b ? -1 : 1));
  // A stack without any app has a release file all the same: `pulumi up` says what is missing.
  const first = isMap(own) || others.length === 0;
  return [
    ...(first
      ? [
          {
            name: nameOfApp(project, isMap(own) ? own : {}),
            releasesFile: file(value("releasesFile"), `releases/${stack}.yaml`),
          },
        ]
      : []),
    ...others.map(([key, app]) => ({
      ...{ key, name: key },
      releasesFile: file(isMap(app) ? app["releasesFile"] : undefined, `releases/${stack}/${key}.yaml`),
    })),
  ];
}

/**
 * The app that is meant, by its name.
 * @throws naming the apps that there are when none is named although there are several, or when there is none of that name.
 */
export function findStackApp(project: string, stack: string, name?: string): StackApp {
  const apps = stackApps(project, stack);
  const [only] = apps;
  if (name === undefined && apps.length === 1 && only !== undefined) return only;
  const named = apps.find((app) => app.name === name);
  if (named !== undefined) return named;
  const names = apps.map((app) => app.name).join(", ");
  if (name === undefined) {
    throw usageError(`stack "${stack}" has several apps`, {
      received: "no --app",
      accepted: names,
      cure: "say which one is meant, with --app",
    });
  }
  throw usageError(`stack "${stack}" has no app "${name}"`, {
    received: `--app ${name}`,
    accepted: names,
    cure: apps.length === 1 ? "leave --app out: the stack has this one app" : "name one of these",
  });
}

/** What the app's directory says is not checked here: the program does that. */
function nameOfApp(project: string, own: Readonly<Record<string, unknown>>): string {
  if (typeof own["name"] === "string") return own["name"];
  const { directory } = own;
  const file = path.join(project, typeof directory === "string" ? directory : ".", "slipway.yaml");
  try {
    const described = parse(readFileSync(file, "utf8")) as unknown;
    if (isMap(described) && typeof described["name"] === "string") return described["name"];
  } catch {
    // Without a readable description the app goes by the key that it stands under.
  }
  return "app";
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
