import type { App } from "../app/app";
import { type ComposeFile, isMapping, type Mapping, scalarText } from "./composeFile";
import { override } from "./composeYaml";

/** A named volume of the file, which has to exist before a release starts: to the releases it is external. */
export interface ReleaseVolume {
  /** Its key in the compose file. */
  readonly key: string;
  /** Its name on the host; holds `${SLIPWAY_APP}` and, when it is per release, `${SLIPWAY_REVISION}`. */
  readonly name: string;
  /** Goes with its release; all others are kept for good. */
  readonly perRelease: boolean;
  /** The user's own external volume: whoever made it looks after it. */
  readonly external: boolean;
  readonly driver?: string;
  readonly driverOpts?: Readonly<Record<string, string>>;
}

function isExternal(raw: Mapping): boolean {
  return raw.external === true || raw.external === "true" || isMapping(raw.external);
}

function externalName(key: string, raw: Mapping): string {
  const legacy = isMapping(raw.external) ? scalarText(raw.external.name) : undefined;
  return legacy ?? scalarText(raw.name) ?? key;
}

/** What each named volume of the file is called on the host. Kept ones keep the name the classic project gave them. */
export function releaseVolumes(
  file: ComposeFile,
  app: Pick<App, "perReleaseVolumes" | "adopt">,
): ReleaseVolume[] {
  return Object.entries(file.volumes).map(([key, raw]) => {
    if (isExternal(raw)) {
      return { key, name: externalName(key, raw), perRelease: false, external: true };
    }
    const perRelease = app.perReleaseVolumes?.includes(key) ?? false;
    const classic = scalarText(raw.name) ?? `${app.adopt?.project ?? "${SLIPWAY_APP}"}_${key}`;
    const driver = scalarText(raw.driver);
    const options = Object.entries(isMapping(raw.driver_opts) ? raw.driver_opts : {});
    return {
      key,
      name: perRelease ? `\${SLIPWAY_APP}_${key}_\${SLIPWAY_REVISION}` : classic,
      perRelease,
      external: false,
      ...(driver !== undefined && { driver }),
      ...(options.length > 0 && {
        driverOpts: Object.fromEntries(options.map(([name, value]) => [name, scalarText(value) ?? ""])),
      }),
    };
  });
}

/** The `volumes:` section of an override: all external, because a release must never own what outlives it. */
export function volumesOverride(volumes: readonly ReleaseVolume[]): Record<string, unknown> | undefined {
  const entries = volumes
    .filter(({ external }) => !external)
    .map(({ key, name }) => [key, override({ external: true, name })] as const);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
