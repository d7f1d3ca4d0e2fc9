import type { App } from "../app/app";
import type { Problem } from "../app/problem";
import { type ComposeFile, type ComposeService, readCompose } from "./composeFile";
import { composeNotes } from "./composeNotes";
import { composeProblems, movingImages } from "./composeProblems";
import { type ComposeRoles, composeRoles, networksOf } from "./composeRoles";
import { commonOverride, lostNames, type ServiceOverride } from "./composeService";
import { statefulOverride } from "./composeStateful";
import { releaseVolumes, type ReleaseVolume, volumesOverride } from "./composeVolumes";
import { composeYaml, override, reset } from "./composeYaml";

/** How the user's compose file, as it is, becomes a release that can run beside the one before. */
export interface ComposeOverride {
  /** Second `-f` file of the colour's project. */
  readonly override: string;
  /** Second `-f` file of the project `<app>-stateful`; absent without stateful services. */
  readonly stateful?: string;
  /** What has to be put right first; when there are any, the texts are empty. */
  readonly problems: readonly Problem[];
  /** What is not an error, but different from `docker compose up` in a way that somebody may miss. */
  readonly notes: readonly string[];
  readonly roles: ComposeRoles;
  /** Services of the colour that end by themselves, because another one waits for that. */
  readonly runOnce: readonly string[];
  /** The named volumes, which have to exist before the projects start. */
  readonly volumes: readonly ReleaseVolume[];
}

const noRoles: ComposeRoles = { colour: [], stateful: [], commands: [], leftOut: [] };

/** A restart policy would start these again for ever. */
function runOnce(file: ComposeFile, roles: ComposeRoles): string[] {
  const services = Object.values(file.services);
  return roles.colour.filter((name) =>
    services.some(({ dependsOn }) => dependsOn[name] === "service_completed_successfully"),
  );
}

/** The one port of a colour that can be reached from outside its network, and only from the host itself. */
function portsOverride(service: ComposeService, app: App): unknown {
  if (service.name === app.ingress.service) {
    return override([`127.0.0.1:\${SLIPWAY_INGRESS_PORT}:${String(app.ingress.port)}`]);
  }
  return service.raw.ports === undefined ? undefined : reset();
}

/** With stateful services, `default` is the colour's permanent network: who shares a network with them joins it. */
function networksOverride(file: ComposeFile, service: ComposeService, roles: ComposeRoles): unknown {
  const own = networksOf(service);
  const shared = new Set(
    roles.stateful.flatMap((name) => {
      const stateful = file.services[name];
      return stateful === undefined ? [] : networksOf(stateful);
    }),
  );
  const joins = own.some((name) => shared.has(name)) ? [...new Set([...own, "default"])] : own;
  const aliases = lostNames(service);
  if (aliases.length > 0) {
    return Object.fromEntries(joins.map((name) => [name, { aliases }]));
  }
  return joins.length === own.length ? undefined : Object.fromEntries(joins.map((name) => [name, null]));
}

function filesOverride(app: App): unknown {
  const files = Object.keys(app.files ?? {});
  return files.length === 0
    ? undefined
    : files.map((name) => ({
        type: "bind",
        source: `\${SLIPWAY_APP_DIR}/files/${name}`,
        target: `/etc/slipway/${name}`,
        read_only: true,
      }));
}

function colourService(
  file: ComposeFile,
  service: ComposeService,
  app: App,
  roles: ComposeRoles,
): ServiceOverride {
  const started = roles.colour.includes(service.name);
  const later = [...(app.workers ?? []), ...(app.singletons ?? [])];
  // Starting a service starts what it depends on: a worker may only start behind the gate, a singleton when the old one
  // has stopped.
  const stays = (name: string): boolean =>
    (roles.colour.includes(name) || roles.commands.includes(name)) &&
    (later.includes(service.name) || !later.includes(name));
  const once = !started || runOnce(file, roles).includes(service.name);
  return {
    ...commonOverride(service, {
      stays,
      runsOnce: once,
      retires: app.strategy === "recreate" || later.includes(service.name),
      images: Object.keys(app.images),
    }),
    profiles: started && service.profiles.length > 0 ? reset() : undefined,
    ports: portsOverride(service, app),
    environment: { SLIPWAY_RELEASE: "${SLIPWAY_RELEASE}" },
    networks: networksOverride(file, service, roles),
    volumes: filesOverride(app),
  };
}

/** A volume that only services without a part in the release mount is none of its business. */
function usedVolumes(file: ComposeFile, app: App, roles: ComposeRoles): ReleaseVolume[] {
  const mounted = Object.values(file.services)
    .filter(({ name }) => !roles.leftOut.includes(name))
    .flatMap(({ mounts }) => mounts.map(({ source }) => source));
  return releaseVolumes(file, app).filter(({ key }) => mounted.includes(key));
}

function colourOverride(file: ComposeFile, app: App, roles: ComposeRoles): string {
  const removed = [...roles.stateful, ...roles.leftOut];
  const services = Object.values(file.services).map(
    (service) =>
      [
        service.name,
        removed.includes(service.name) ? reset() : colourService(file, service, app, roles),
      ] as const,
  );
  return composeYaml({
    services: Object.fromEntries(services),
    volumes: volumesOverride(releaseVolumes(file, app)),
    // What the override of a volume hides from the merged file, for whoever has to make it.
    "x-slipway": { volumes: usedVolumes(file, app, roles) },
    networks:
      roles.stateful.length === 0
        ? undefined
        : { default: override({ external: true, name: "${SLIPWAY_APP}-net-${SLIPWAY_COLOUR}" }) },
  });
}

/**
 * The overrides under which the compose file of `app` runs as a release, or the problems that stand against it. Looks at
 * the plain parts of the description only, so that it can tell before anything is made.
 *
 * What depends on the release is left to compose's interpolation: `SLIPWAY_APP`, `SLIPWAY_COLOUR` (blue or green),
 * `SLIPWAY_INGRESS_PORT`, `SLIPWAY_RELEASE`, `SLIPWAY_REVISION` (names the release's own volumes) and `SLIPWAY_APP_DIR` have to be in the environment of `docker compose`.
 */
export function composeOverride(app: App): ComposeOverride {
  const { file, problems } = readCompose(app.compose);
  if (file === undefined) {
    return { override: "", problems, notes: [], roles: noRoles, runOnce: [], volumes: [] };
  }
  const roles = composeRoles(file, app);
  const volumes = usedVolumes(file, app, roles);
  const found = composeProblems(file, app, roles);
  const rest = { notes: composeNotes(file, app, roles), roles, runOnce: runOnce(file, roles), volumes };
  if (found.length > 0) {
    return { override: "", problems: found, ...rest };
  }
  return {
    override: colourOverride(file, app, roles),
    ...(roles.stateful.length > 0 && { stateful: statefulOverride(file, app, roles) }),
    problems: [],
    ...rest,
  };
}

/** The images that the compose file names by a tag and the release does not pin. */
export function unpinnedImages(app: App): Problem[] {
  const { file } = readCompose(app.compose);
  return file === undefined ? [] : movingImages(file, app, composeRoles(file, app));
}
