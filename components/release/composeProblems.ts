import type { App } from "../app/app";
import type { Problem } from "../app/problem";
import { type ComposeFile, type ComposeService, isMapping } from "./composeFile";
import { networkProblems } from "./composeNetworks";
import { type ComposeRoles, networksOf } from "./composeRoles";
import { mountProblems, volumeProblems } from "./composeStorage";
import { variableProblems } from "./composeVariables";

const names = (list: readonly string[]): string => (list.length === 0 ? "none" : list.join(", "));

/** Names in the app's description that have no service, with the services there are. */
function unknownServices(file: ComposeFile, app: App): Problem[] {
  const all = Object.keys(file.services);
  const named: readonly (readonly [string, string | undefined])[] = [
    ["ingress.service", app.ingress.service],
    ["migrate.service", app.migrate?.service],
    ["backup.service", app.backup?.service],
    ...(["stateful", "workers", "singletons"] as const).flatMap((key) =>
      (app[key] ?? []).map((service, index) => [`${key}[${String(index)}]`, service] as const),
    ),
  ];
  return named.flatMap(([path, service]) =>
    service === undefined || all.includes(service)
      ? []
      : {
          path,
          received: JSON.stringify(service),
          accepted: `a service of the compose file: ${names(all)}`,
          cure: "name a service that is there",
        },
  );
}

/** One service cannot be two things at once. */
function contradictions(app: App): Problem[] {
  const roles: Readonly<Record<string, readonly string[]>> = {
    "ingress.service": [app.ingress.service],
    stateful: app.stateful ?? [],
    workers: app.workers ?? [],
    singletons: app.singletons ?? [],
  };
  const all = [...new Set(Object.values(roles).flat())];
  return all.flatMap((service) => {
    const of = Object.keys(roles).filter((role) => roles[role]?.includes(service));
    return of.length < 2
      ? []
      : {
          path: of[1] ?? "",
          received: `${JSON.stringify(service)}, which is in ${of[0] ?? ""} too`,
          accepted: "each service in one of ingress, stateful, workers and singletons",
          cure: `take it out of ${names(of.slice(1))}`,
        };
  });
}

/** What makes the file more than one file: the rest of it is not here. */
function otherFiles(file: ComposeFile): Problem[] {
  const cure =
    "give one file without it: `docker compose config --no-interpolate --no-path-resolution` writes one " +
    "(give it empty env files, or it writes their values into the file)";
  const included =
    file.raw.include === undefined
      ? []
      : [{ path: "compose: include", received: "other files", accepted: "one compose file", cure }];
  const extended = Object.values(file.services).flatMap(({ name, raw }) =>
    raw.extends === undefined
      ? []
      : {
          path: `compose: services.${name}.extends`,
          received: "another service's settings",
          accepted: "a service that says all of it itself",
          cure,
        },
  );
  return [...included, ...extended];
}

function replicas(service: ComposeService): number {
  const deploy = isMapping(service.raw.deploy) ? service.raw.deploy.replicas : undefined;
  return Number(service.raw.scale ?? deploy ?? 1);
}

function serviceProblems(
  service: ComposeService,
  file: ComposeFile,
  app: App,
  roles: ComposeRoles,
): Problem[] {
  const { name, raw } = service;
  const at = `compose: services.${name}`;
  const problems: Problem[] = [];
  if (service.image === undefined && !Object.keys(app.images).includes(name)) {
    problems.push({
      path: raw.build === undefined ? at : `${at}.build`,
      received: raw.build === undefined ? "a service without an image" : "a build without an image",
      accepted: "an image that was built before and can be pulled",
      cure: `write image: \${${name.toUpperCase().replace(/\W/g, "_")}_IMAGE} beside it, or name ${name} in images`,
    });
  }
  const only =
    name === app.ingress.service ? "ingress" : app.singletons?.includes(name) ? "singleton" : undefined;
  if (only !== undefined && replicas(service) > 1) {
    problems.push({
      path: raw.scale === undefined ? `${at}.deploy.replicas` : `${at}.scale`,
      received: String(replicas(service)),
      accepted: `1, because it is the ${only}`,
      cure: "take it out of the compose file",
    });
  }
  if (roles.stateful.includes(name)) {
    return problems;
  }
  const pending = Object.keys(service.dependsOn).filter((other) => roles.leftOut.includes(other));
  for (const other of roles.colour.includes(name) && service.profiles.length > 0 ? pending : []) {
    problems.push({
      path: `${at}.depends_on.${other}`,
      received: `a service behind the profile ${names(file.services[other]?.profiles ?? [])}`,
      accepted: "a service that is part of the release",
      cure: `name ${other} in stateful (it has data of its own), workers or singletons`,
    });
  }
  const shares = ["network_mode", "ipc", "pid"].filter((key) => {
    const other = /^service:(.*)$/.exec(String(raw[key]))?.[1];
    return other !== undefined && !roles.colour.includes(other);
  });
  for (const key of shares) {
    problems.push({
      path: `${at}.${key}`,
      received: String(raw[key]),
      accepted: "a service that is started and stopped with the same release",
      cure: "take it out of the compose file, and reach the service by its name",
    });
  }
  return problems;
}

/** A database that runs in both colours at once would write to one volume twice: that destroys it. */
function hiddenStateful(service: ComposeService, app: App): Problem[] {
  const known =
    /(^|\/)(postgres|postgis|timescaledb|pgvector|mysql|mariadb|percona|mongo|redis|valkey|keydb|rabbitmq|elasticsearch|opensearch|minio|clickhouse|influxdb|meilisearch|qdrant)[^/]*$/;
  const image = service.image?.replace(/^\$\{\w+:?-(.*)\}$/, "$1").replace(/[:@].*$/, "") ?? "";
  const kept = service.mounts.find(
    ({ kind, source }) =>
      kind === "absolute" || (kind === "volume" && !app.perReleaseVolumes?.includes(source)),
  );
  return kept === undefined || !known.test(image)
    ? []
    : [
        {
          path: "stateful",
          received: `no ${service.name}, which runs ${image} on ${kept.source}`,
          accepted:
            "every service that keeps data of its own: two releases side by side would both write to it",
          cure: `add ${service.name} to stateful`,
        },
      ];
}

/** Images of the file itself that may be another one tomorrow, for whoever wants digests only. */
export function movingImages(file: ComposeFile, app: App, roles: ComposeRoles): Problem[] {
  const part = [...roles.colour, ...roles.commands, ...roles.stateful].flatMap(
    (name) => file.services[name] ?? [],
  );
  return part.flatMap(({ name, image = "" }) =>
    app.images[name] !== undefined ||
    image.includes("$") ||
    /@sha256:[0-9a-f]{64}$/.test(image) ||
    image === ""
      ? []
      : {
          path: `compose: services.${name}.image`,
          received: JSON.stringify(image),
          accepted: "an image by digest, because requireDigests is on",
          cure:
            `name it in the release: slipway release set ${name}=${image.replace(/:[^:/]*$/, "")}@sha256:… ` +
            `(docker buildx imagetools inspect ${image} prints the digest)`,
        },
  );
}

/** Everything about the file that stands against running it as two releases side by side. */
export function composeProblems(file: ComposeFile, app: App, roles: ComposeRoles): Problem[] {
  const others = [...unknownServices(file, app), ...contradictions(app), ...otherFiles(file)];
  const part = [...roles.colour, ...roles.commands, ...roles.stateful].flatMap(
    (name) => file.services[name] ?? [],
  );
  const inColour = part.filter(({ name }) => !roles.stateful.includes(name));
  return [
    ...others,
    ...part.flatMap((service) => serviceProblems(service, file, app, roles)),
    ...inColour.flatMap((service) => hiddenStateful(service, app)),
    ...part.flatMap((service) => variableProblems(service, app)),
    ...part.flatMap((service) => mountProblems(service, file)),
    ...volumeProblems(file, app, part),
    ...networkProblems(
      file,
      part,
      inColour.filter((service) => networksOf(service).length > 0),
      roles,
    ),
  ];
}
