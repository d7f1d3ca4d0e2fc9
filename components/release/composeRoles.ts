import type { App } from "../app/app";
import type { ComposeFile, ComposeService } from "./composeFile";

/** The parts of an App that say what each service is. */
export type AppRoles = Pick<
  App,
  "backup" | "environment" | "ingress" | "migrate" | "singletons" | "stateful" | "workers"
>;

/** Which project each service of the file belongs to. */
export interface ComposeRoles {
  /** Runs in the project of each colour. */
  readonly colour: readonly string[];
  /** Runs in the project of the stateful services. */
  readonly stateful: readonly string[];
  /** Only there for `docker compose run`: a service behind a profile that migrates or backs up. */
  readonly commands: readonly string[];
  /** Behind a profile and named nowhere in the app's description: no part of a release. */
  readonly leftOut: readonly string[];
}

/** The profiles that the classic `.env` would turn on. */
function activeProfiles(app: AppRoles): readonly string[] {
  const value = app.environment?.COMPOSE_PROFILES;
  return typeof value === "string" ? value.split(",").map((profile) => profile.trim()) : [];
}

/**
 * Sorts the services of the file. A service behind a profile takes part when the description names it, or when
 * `COMPOSE_PROFILES` in the environment turns its profile on.
 */
export function composeRoles(file: ComposeFile, app: AppRoles): ComposeRoles {
  const started = new Set([app.ingress.service, ...(app.workers ?? []), ...(app.singletons ?? [])]);
  const run = new Set([app.migrate?.service, app.backup?.service]);
  const stateful = new Set(app.stateful ?? []);
  const active = activeProfiles(app);
  const isOn = (profile: string): boolean => active.includes(profile) || active.includes("*");
  const role = ({ name, profiles }: ComposeService): keyof ComposeRoles => {
    if (stateful.has(name)) {
      return "stateful";
    }
    if (profiles.length === 0 || started.has(name) || profiles.some(isOn)) {
      return "colour";
    }
    return run.has(name) ? "commands" : "leftOut";
  };
  const of = (wanted: keyof ComposeRoles): string[] =>
    Object.values(file.services).flatMap((service) => (role(service) === wanted ? service.name : []));
  return {
    colour: of("colour"),
    stateful: of("stateful"),
    commands: of("commands"),
    leftOut: of("leftOut"),
  };
}

/** The networks a service is in; none when it uses another's network. */
export function networksOf(service: ComposeService): readonly string[] {
  return service.networkMode === undefined ? Object.keys(service.networks ?? { default: {} }) : [];
}
