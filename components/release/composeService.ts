import { imageVariable } from "../app/environment";
import { type ComposeService, isMapping, scalarText } from "./composeFile";
import { override, reset } from "./composeYaml";

/** Parts of a service's override; keys that are undefined are not written. */
export type ServiceOverride = Record<string, unknown>;

/** Is this env_file one that is there on the host: the release's own `.env`, or a file of the machine. */
function isOnHost(path: string): boolean {
  return /^(\.\/)?\.env$/.test(path) || path.startsWith("/");
}

function hasFormat(item: unknown): boolean {
  return isMapping(item) && item.format !== undefined;
}

/** Every variable is in the release's one `.env`: env files that are only in the repository are replaced by it. */
export function replacedEnvFiles(service: ComposeService): readonly string[] {
  return service.envFiles.filter((path) => !isOnHost(path));
}

function envFileOverride(service: ComposeService): unknown {
  const items: unknown = service.raw.env_file;
  const formats = Array.isArray(items) ? items.some(hasFormat) : hasFormat(items);
  if (replacedEnvFiles(service).length === 0 && !formats) {
    return undefined;
  }
  const kept = (Array.isArray(items) ? (items as unknown[]) : [items]).filter((item) =>
    scalarText(isMapping(item) ? item.path : item)?.startsWith("/"),
  );
  return override([".env", ...kept]);
}

/** Takes away the dependencies on services that are not in this project. */
function dependsOnOverride(service: ComposeService, stays: (name: string) => boolean): unknown {
  const gone = Object.keys(service.dependsOn).filter((name) => !stays(name));
  return gone.length === 0 ? undefined : Object.fromEntries(gone.map((name) => [name, reset()]));
}

function linksOverride(service: ComposeService, stays: (name: string) => boolean): unknown {
  const kept = service.links.filter((link) => stays(link.service)).map(({ text }) => text);
  if (kept.length === service.links.length) {
    return undefined;
  }
  return kept.length === 0 ? reset() : override(kept);
}

/** Brings a service back after a reboot: classic files say nothing, and then Docker leaves it down. */
function restartOverride(service: ComposeService, { runsOnce, retires }: ServiceContext): unknown {
  const { raw } = service;
  const policy = isMapping(raw.deploy) ? raw.deploy.restart_policy : undefined;
  // With `always`, a reboot during the release would start again what the release has stopped.
  const always = retires && (raw.restart === "always" || alwaysByPolicy(service));
  return always || (raw.restart === undefined && policy === undefined && !runsOnce)
    ? "unless-stopped"
    : undefined;
}

/** Compose takes such a policy before `restart`. */
function alwaysByPolicy({ raw }: ComposeService): boolean {
  const policy = isMapping(raw.deploy) ? raw.deploy.restart_policy : undefined;
  return isMapping(policy) && (policy.condition === undefined || policy.condition === "any");
}

/** What the override of a service depends on. */
export interface ServiceContext {
  /** Is this service in the same project, and started with it. */
  readonly stays: (name: string) => boolean;
  /** Something waits for this service to end, so it is no service that stays up. */
  readonly runsOnce: boolean;
  /** The next release stops it before its own start: a worker, a singleton, or an app that cannot run twice. */
  readonly retires: boolean;
  /** Names of the images that the release pins. */
  readonly images: readonly string[];
}

/** What both kinds of project change in a service. */
export function commonOverride(service: ComposeService, context: ServiceContext): ServiceOverride {
  const { raw, name } = service;
  const whenSet = (key: string): unknown => (raw[key] === undefined ? undefined : reset());
  return {
    image: context.images.includes(name) ? `\${${imageVariable(name)}}` : undefined,
    // An image that is missing would be built on the host, from a context that is not there.
    build: whenSet("build"),
    pull_policy: whenSet("pull_policy"),
    container_name: whenSet("container_name"),
    restart: restartOverride(service, context),
    deploy: context.retires && alwaysByPolicy(service) ? { restart_policy: reset() } : undefined,
    depends_on: dependsOnOverride(service, context.stays),
    links: linksOverride(service, context.stays),
    env_file: envFileOverride(service),
  };
}

/** The name by which other containers may know this one, once it may no longer be its container's name. */
export function lostNames(service: ComposeService): readonly string[] {
  const { containerName, name } = service;
  return containerName === undefined || containerName === name ? [] : [containerName];
}
