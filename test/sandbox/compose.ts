import { docker } from "../../cli/sandbox/bodies/docker";
import { ensureImage } from "../../cli/sandbox/bodies/images";
import { packTar } from "../../cli/sandbox/bodies/tar";

/** What `docker compose config` makes of a service. */
export interface MergedService {
  readonly build?: unknown;
  readonly container_name?: string;
  readonly depends_on?: Readonly<Record<string, unknown>>;
  readonly environment?: Readonly<Record<string, string | null>>;
  readonly image?: string;
  readonly links?: readonly string[];
  readonly networks?: Readonly<Record<string, { readonly aliases?: readonly string[] } | null>>;
  readonly ports?: readonly {
    readonly host_ip?: string;
    readonly published?: string;
    readonly target: number;
  }[];
  readonly restart?: string;
  readonly volumes?: readonly { readonly type: string; readonly source: string; readonly target: string }[];
}

/** A compose project as compose itself understands it. */
export interface MergedProject {
  readonly services: Readonly<Record<string, MergedService>>;
  readonly volumes?: Readonly<Record<string, { readonly name: string; readonly external?: boolean }>>;
  readonly networks?: Readonly<Record<string, { readonly name: string; readonly external?: boolean }>>;
}

/** Runs a shell script beside the files in a fresh container of the droplet's image, without a network. */
export async function inDroplet(
  files: Readonly<Record<string, string>>,
  script: string,
  options: readonly string[] = ["--network", "none"],
): Promise<string> {
  const image = await ensureImage("droplet");
  const input = packTar(Object.entries(files).map(([path, content]) => ({ path, content })));
  const unpack = `mkdir -p /srv/trial && cd /srv/trial && tar -x && { ${script}\n} </dev/null`;
  return docker(["run", "--rm", "-i", ...options, "--entrypoint", "bash", image, "-euc", unpack], {
    input,
    timeoutSeconds: 120,
  });
}

/** What a host gives to `docker compose` besides the files. */
export const hostVariables = {
  SLIPWAY_APP: "shop",
  SLIPWAY_COLOUR: "blue",
  SLIPWAY_RELEASE: "7",
  SLIPWAY_REVISION: "r7-0a1b2c3d",
  SLIPWAY_APP_DIR: "/var/lib/slipway/shop/releases/r7-0a1b2c3d",
  SLIPWAY_INGRESS_PORT: "18000",
} as const;

/** `docker compose config` of the files, in the order given, with `.env` among them. */
export async function composeConfig(
  files: Readonly<Record<string, string>>,
  composeFiles: readonly string[],
): Promise<MergedProject> {
  const variables = Object.entries(hostVariables).map(([name, value]) => `${name}=${value}`);
  const flags = composeFiles.flatMap((file) => ["--file", file]);
  const command = [
    "env",
    "-i",
    'PATH="$PATH"',
    ...variables,
    "docker",
    "compose",
    "--project-name",
    "shop-blue",
    ...flags,
  ];
  const text = await inDroplet(
    files,
    [...command, "--env-file", ".env", "config", "--format", "json"].join(" "),
  );
  // compose doubles every dollar sign, so that its output is a compose file again.
  return JSON.parse(text.replaceAll("$$", "$")) as MergedProject;
}
