import type { App } from "../app/app";
import type { ComposeFile, ComposeService } from "./composeFile";
import type { ComposeRoles } from "./composeRoles";
import { replacedEnvFiles } from "./composeService";
import { emptyVariables } from "./composeVariables";

function closedPorts(service: ComposeService, app: App): string[] {
  const ports = service.publishedPorts.filter(
    (port) => service.name !== app.ingress.service || port !== String(app.ingress.port),
  );
  return ports.length === 0
    ? []
    : [
        `services.${service.name} publishes ${ports.join(", ")}: a release publishes only port ${String(app.ingress.port)} of ` +
          `${app.ingress.service}, and that to the edge alone. The others are reached over SSH, with docker exec.`,
      ];
}

function otherEnvFiles(service: ComposeService): string[] {
  const files = replacedEnvFiles(service);
  return files.length === 0
    ? []
    : [
        `services.${service.name} reads ${files.join(", ")}: here it reads the release's .env instead. ` +
          "What is in those files has to be in environment or secrets.",
      ];
}

function unusualIngress(file: ComposeFile, app: App): string[] {
  const published = file.services[app.ingress.service]?.publishedPorts ?? [];
  return published.length === 0 || published.includes(String(app.ingress.port))
    ? []
    : [
        `ingress.port is ${String(app.ingress.port)}, and services.${app.ingress.service} publishes ${published.join(", ")}: ` +
          "it has to be the port inside the container.",
      ];
}

/** Not looked after: nobody carries them to another host. */
function hostPaths(service: ComposeService): string[] {
  const paths = service.mounts.filter(({ kind }) => kind === "absolute").map(({ source }) => source);
  return paths.length === 0
    ? []
    : [
        `services.${service.name} mounts ${paths.join(", ")} of the host: kept as it is, the same for the old and the new release.`,
      ];
}

function restartedByEnv(service: ComposeService, app: App): string[] {
  return app.stateful?.includes(service.name) && service.envFiles.length > 0
    ? [
        `services.${service.name} reads ${service.envFiles.join(", ")}: a change of any variable restarts it, and requests fail ` +
          "meanwhile. Name what it needs under its environment instead.",
      ]
    : [];
}

/** What is different from `docker compose up` in a way that somebody may miss, one sentence or two each. */
export function composeNotes(file: ComposeFile, app: App, roles: ComposeRoles): string[] {
  const part = [...roles.colour, ...roles.commands, ...roles.stateful].flatMap(
    (name) => file.services[name] ?? [],
  );
  const empty = emptyVariables(part, app);
  return [
    ...part.flatMap((service) => [
      ...closedPorts(service, app),
      ...otherEnvFiles(service),
      ...hostPaths(service),
      ...restartedByEnv(service, app),
    ]),
    ...unusualIngress(file, app),
    ...(empty.length === 0
      ? []
      : [`the compose file uses ${empty.join(", ")}, which nothing sets: compose leaves them empty.`]),
    ...(roles.leftOut.length === 0
      ? []
      : [
          `${roles.leftOut.join(", ")} stand behind a profile and take no part in a release: name them in workers, ` +
            "singletons or stateful, or set COMPOSE_PROFILES in environment.",
        ]),
  ];
}
