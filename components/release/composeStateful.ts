import { type App } from "../app/app";
import { imageVariable } from "../app/environment";
import type { ComposeFile, ComposeService } from "./composeFile";
import { type ComposeRoles } from "./composeRoles";
import { commonOverride, lostNames, type ServiceOverride } from "./composeService";
import { releaseVolumes, volumesOverride } from "./composeVolumes";
import { composeYaml, override, reset } from "./composeYaml";

/** Every name by which services of the colours reach a stateful service, besides its own. */
function aliases(file: ComposeFile, service: ComposeService): string[] {
  const own = Object.values(service.networks ?? {}).flatMap((network) =>
    Array.isArray(network.aliases) ? (network.aliases as unknown[]).map(String) : [],
  );
  const linked = Object.values(file.services).flatMap(({ links }) =>
    links.filter((link) => link.service === service.name).map(({ alias }) => alias),
  );
  const names = new Set([...lostNames(service), ...own, ...linked]);
  names.delete(service.name);
  return [...names];
}

function networks(file: ComposeFile, service: ComposeService): Record<string, unknown> {
  const names = aliases(file, service);
  const settings = names.length === 0 ? null : { aliases: names };
  const external = Object.keys(service.networks ?? {}).filter(
    (name) => file.networks[name]?.external === true,
  );
  return {
    "slipway-blue": settings,
    "slipway-green": settings,
    ...Object.fromEntries(external.map((name) => [name, service.networks?.[name] ?? null])),
  };
}

/** Image digests differ in each release; in a stateful service's environment they would restart it each time. */
function maskedImages(
  service: ComposeService,
  images: readonly string[],
): Record<string, string> | undefined {
  return service.envFiles.length === 0 || images.length === 0
    ? undefined
    : Object.fromEntries(["IMAGE", ...images.map(imageVariable)].map((name) => [name, ""]));
}

/**
 * The override that turns the compose file into the project `<app>-stateful`: only services with data of their own,
 * in the permanent networks of both colours, with nothing in them that a release changes.
 */
export function statefulOverride(file: ComposeFile, app: App, roles: ComposeRoles): string {
  const images = Object.keys(app.images);
  const services = Object.values(file.services).map((service) => {
    if (!roles.stateful.includes(service.name)) {
      return [service.name, reset()] as const;
    }
    const settings: ServiceOverride = {
      ...commonOverride(service, {
        stays: (name) => roles.stateful.includes(name),
        runsOnce: false,
        retires: false,
        images,
      }),
      profiles: service.profiles.length > 0 ? reset() : undefined,
      ports: service.publishedPorts.length > 0 ? reset() : undefined,
      environment: maskedImages(service, images),
      networks: override(networks(file, service)),
    };
    return [service.name, settings] as const;
  });
  return composeYaml({
    services: Object.fromEntries(services),
    volumes: volumesOverride(releaseVolumes(file, app)),
    networks: {
      "slipway-blue": { external: true, name: "${SLIPWAY_APP}-net-blue" },
      "slipway-green": { external: true, name: "${SLIPWAY_APP}-net-green" },
    },
  });
}
