// Which app is rehearsed: that of the stack, one of several, or one that only --app knows. It is alone on its host.
import { existsSync } from "node:fs";
import * as path from "node:path";
import { usageError } from "../errors";
import { findStackApp, stackApps, stackConfigValue } from "../project";

type Keys = Readonly<Record<string, unknown>>;

/** An app to rehearse. */
export interface ChosenApp {
  readonly appDirectory: string;
  /** Keys of its description that the stack sets. */
  readonly inline: Keys;
  /** Whether it was named by its directory, so that the stack's own apps are not to be used. */
  readonly otherApp: boolean;
  /** Configuration over the stack's own, layer by layer: `null` takes a key away. */
  readonly layers: readonly Keys[];
}

/** @throws naming the apps that there are when it is not clear which one is meant. */
export function chooseApp(project: string, { stack, app }: { stack: string; app?: string }): ChosenApp {
  const apps = stackApps(project, stack);
  const isOneOfThem = app !== undefined && apps.length > 1 && apps.some(({ name }) => name === app);
  if (app !== undefined && !isOneOfThem) return namedByDirectory(app, apps.length > 1 ? apps : []);
  const { key } = findStackApp(project, stack, app);
  if (key !== undefined) return oneOfSeveral(project, stack, key);
  const configured = stackConfigValue(project, stack, "slipway:app") as Keys | undefined | null;
  if (configured === undefined || configured === null) {
    throw usageError(`stack "${stack}" ships no app`, {
      received: `no slipway:app in Pulumi.${stack}.yaml`,
      accepted: "slipway:app: {directory: <directory of the app>}",
      cure: "add it, or name an app with --app",
    });
  }
  const layers = apps.length > 1 ? [{ "slipway:apps": null }] : [];
  return { ...directoryOf(project, configured), otherApp: false, layers };
}

function namedByDirectory(app: string, apps: readonly { readonly name: string }[]): ChosenApp {
  const appDirectory = path.resolve(app);
  if (existsSync(path.join(appDirectory, "slipway.yaml"))) {
    return { appDirectory, inline: {}, otherApp: true, layers: [] };
  }
  throw usageError("the app does not describe itself", {
    received: `--app ${app}`,
    accepted: [...apps.map(({ name }) => name), "a directory with a slipway.yaml"].join(", "),
    cure: "write one; examples/django-docker/slipway.yaml is a complete one",
  });
}

const ofDatabase = ["name", "extensions", "pool", "contract", "loginGeneration", "closedLoginGeneration"];
// Beside `slipway:app`, and inside each of `slipway:apps`.
const beside = ["secrets", "secretKeyGenerations"];

/** One of `slipway:apps` as the stack's only app: what it has of its own takes the place of what the stack has. */
function oneOfSeveral(project: string, stack: string, key: string): ChosenApp {
  const apps = stackConfigValue(project, stack, "slipway:apps") as Readonly<Record<string, Keys>>;
  const { database, ...rest } = apps[key] ?? {};
  const own = database as Keys | undefined;
  // The rehearsal has a registry and a release file of its own.
  const apart = [...beside, "registry", "releasesFile"];
  const app = Object.fromEntries(Object.entries(rest).filter(([name]) => !apart.includes(name)));
  const set = beside.filter((name) => rest[name] !== undefined);
  const nothing = Object.fromEntries(ofDatabase.map((name) => [name, null]));
  const layers = [
    Object.fromEntries(["app", "apps", "environment", ...beside].map((name) => [`slipway:${name}`, null])),
    {
      "slipway:app": { ...app, name: key },
      ...Object.fromEntries(set.map((name) => [`slipway:${name}`, rest[name]])),
      "slipway:database": own === undefined ? null : { ...nothing, ...own },
    },
  ];
  return { ...directoryOf(project, { ...app, name: key }), otherApp: false, layers };
}

function directoryOf(project: string, configured: Keys): Pick<ChosenApp, "appDirectory" | "inline"> {
  const { directory, ...inline } = configured;
  return { appDirectory: path.resolve(project, typeof directory === "string" ? directory : "."), inline };
}
