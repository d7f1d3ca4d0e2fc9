import type { App } from "../app/app";
import type { Problem } from "../app/problem";
import { type ComposeFile, type ComposeService, isMapping, scalarText } from "./composeFile";

const fromHost =
  "build it into the image, or give its text in files (it is then /etc/slipway/<name>), or name an absolute path of the host";

/** Paths relative to the repository, which is not on the host. */
export function mountProblems(service: ComposeService, file: ComposeFile): Problem[] {
  const at = `compose: services.${service.name}`;
  const relative = service.mounts
    .filter(({ kind }) => kind === "relative")
    .map(({ source, target }) => ({
      path: `${at}.volumes`,
      received: `${source} mounted at ${target}`,
      accepted: "named volumes and absolute paths: the repository is not on the host",
      cure: fromHost,
    }));
  const undeclared = service.mounts
    .filter(({ kind, source }) => kind === "volume" && file.volumes[source] === undefined)
    .map(({ source }) => ({
      path: `${at}.volumes`,
      received: `${source}, which the file does not declare`,
      accepted: `one of: ${Object.keys(file.volumes).join(", ") || "none"}`,
      cure: `add ${source} to the volumes at the end of the file`,
    }));
  const from = Array.isArray(service.raw.volumes_from) ? (service.raw.volumes_from as unknown[]) : [];
  const borrowed = from.map((other) => ({
    path: `${at}.volumes_from`,
    received: String(other),
    accepted: "volumes that the service names itself",
    cure: "write its volumes out",
  }));
  return [...relative, ...undeclared, ...borrowed, ...fileProblems(service, file)];
}

/** Secrets and configs read from files that are only in the repository. */
function fileProblems(service: ComposeService, file: ComposeFile): Problem[] {
  return (["secrets", "configs"] as const).flatMap((kind) => {
    const used: unknown = service.raw[kind];
    const declared = file.raw[kind];
    return (Array.isArray(used) ? (used as unknown[]) : []).flatMap((item) => {
      const name = scalarText(isMapping(item) ? item.source : item) ?? "";
      const entry = isMapping(declared) ? declared[name] : undefined;
      const source = isMapping(entry) ? scalarText(entry.file) : undefined;
      return source === undefined || /^[/$]/.test(source)
        ? []
        : {
            path: `compose: ${kind}.${name}.file`,
            received: source,
            accepted: "a file of the host, by its absolute path, or the name of a variable",
            cure: kind === "secrets" ? `write environment: ${name.toUpperCase()} instead of file` : fromHost,
          };
    });
  });
}

/** What the description says about volumes that the file contradicts. */
export function volumeProblems(file: ComposeFile, app: App, part: readonly ComposeService[]): Problem[] {
  const own = Object.keys(file.volumes);
  return (app.perReleaseVolumes ?? []).flatMap((volume, index): Problem[] => {
    const path = `perReleaseVolumes[${String(index)}]`;
    const declared = file.volumes[volume];
    if (declared === undefined) {
      return [
        {
          path,
          received: JSON.stringify(volume),
          accepted: `a named volume of the compose file: ${own.join(", ") || "none"}`,
          cure: "name a volume that is there",
        },
      ];
    }
    if (declared.external !== undefined || declared.name !== undefined) {
      return [
        {
          path,
          received: `${volume}, which the file calls ${scalarText(declared.name) ?? "external"}`,
          accepted: "a volume without name and external, so that each release can have its own",
          cure: `take name and external off volumes.${volume}`,
        },
      ];
    }
    const stateful = part.find(
      ({ name, mounts }) =>
        app.stateful?.includes(name) &&
        mounts.some(({ kind, source }) => kind === "volume" && source === volume),
    );
    return stateful === undefined
      ? []
      : [
          {
            path,
            received: `${volume}, which holds the data of ${stateful.name}`,
            accepted: "volumes that no stateful service uses: this one would go with the release",
            cure: `take ${volume} out of perReleaseVolumes`,
          },
        ];
  });
}
