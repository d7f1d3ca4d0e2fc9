import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { docker, DockerError, pipeCommand, tail } from "./docker";
import { ensureDocker, type Log } from "./engine";
import { withLock } from "./lock";
import { machineFiles, machineSettings, suite, type MachineSettings } from "./machine";
import { packTar, type TarFile } from "./tar";

/**
 * The images of the sandbox: `droplet` and `services` are its bodies, `python`, `nginx`, `postgres` and `redis` stand
 * in for the images of that name where no image registry can be reached; `base` is under all of them.
 */
export type ImageKind = "base" | "droplet" | "services" | "python" | "nginx" | "postgres" | "redis";

/** Marks images built where no registry can be pulled from: builds on them use the machine's own network. */
const closedLabel = "slipway.closed";

const home = join(__dirname, "images");
const memo = new Map<ImageKind, Promise<string>>();

/**
 * Gives the tag of an image of the sandbox, `slipway-sandbox/KIND:HASH`, and builds it when this machine has none
 * with that content. Safe to call from several places and processes at once.
 */
export function ensureImage(kind: ImageKind, log: Log = () => undefined): Promise<string> {
  const known = memo.get(kind);
  if (known !== undefined) return known;
  const made = make(kind, log).catch((error: unknown) => {
    memo.delete(kind);
    throw error;
  });
  memo.set(kind, made);
  return made;
}

/** Whether this machine can pull images; known once the base image is there. */
export async function isClosedMachine(): Promise<boolean> {
  const base = await ensureImage("base");
  const label = await docker([
    "image",
    "inspect",
    "--format",
    `{{index .Config.Labels "${closedLabel}"}}`,
    base,
  ]);
  return label.trim() === "true";
}

/** True when the local Docker has the image. */
export async function hasImage(image: string): Promise<boolean> {
  return docker(["image", "inspect", "--format", "{{.Id}}", image]).then(
    () => true,
    () => false,
  );
}

/** The environment and flags that make `docker build` behave the same on old and new clients. */
export async function builder(): Promise<{ environment: Record<string, string>; buildKit: boolean }> {
  const version = Number.parseInt(await docker(["version", "--format", "{{.Client.Version}}"]), 10);
  const buildx = await docker(["buildx", "version"]).then(
    () => true,
    () => false,
  );
  // Clients before 23 have BuildKit built in; later ones only with the buildx plugin.
  const buildKit = buildx || version < 23;
  return { environment: { DOCKER_BUILDKIT: buildKit ? "1" : "0", BUILDKIT_PROGRESS: "plain" }, buildKit };
}

async function make(kind: ImageKind, log: Log): Promise<string> {
  await ensureDocker(log);
  const files = readTree(join(home, kind));
  if (kind === "base") {
    const settings = await machineSettings();
    const all = [...files, ...machineFiles(settings)];
    const tag = `slipway-sandbox/base:${hash([suite], all)}`;
    return once(tag, log, async () => {
      const { from, closed } = await debian(settings, log);
      await build(tag, all, { FROM: from }, { [closedLabel]: String(closed) }, closed);
    });
  }
  const base = await ensureImage("base", log);
  const tag = `slipway-sandbox/${kind}:${hash([base], files)}`;
  return once(tag, log, async () => build(tag, files, { FROM: base }, {}, await isClosedMachine()));
}

async function once(tag: string, log: Log, work: () => Promise<void>): Promise<string> {
  if (await hasImage(tag)) return tag;
  return withLock(tag.replaceAll(/[^a-z0-9]/g, "-"), async () => {
    if (await hasImage(tag)) return tag;
    const started = Date.now();
    await work();
    log(`built ${tag} in ${Math.round((Date.now() - started) / 100) / 10} s`);
    return tag;
  });
}

async function debian(settings: MachineSettings, log: Log): Promise<{ from: string; closed: boolean }> {
  const image = `debian:${suite}-slim`;
  if (await hasImage(image)) return { from: image, closed: false };
  try {
    await docker(["pull", "--quiet", image], { timeoutSeconds: 180 });
    return { from: image, closed: false };
  } catch (error) {
    if (!(error instanceof DockerError)) throw error;
    log(`cannot pull ${image} (${tail(error.stderr, 1)}): making it from Debian's packages`);
  }
  const from = `slipway-sandbox/debian:${suite}`;
  const aptFile = settings.aptConf.trim() === "" ? 'Acquire::Retries "2";' : settings.aptConf;
  const script = [join(home, "base", "bootstrap.sh"), suite, settings.mirror, aptFile];
  await pipeCommand("bash", script, ["import", "-", from]);
  return { from, closed: true };
}

async function build(
  tag: string,
  files: readonly TarFile[],
  buildArgs: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
  closed: boolean,
): Promise<void> {
  const { environment } = await builder();
  const args = [
    ...["build", "--tag", tag, "--force-rm", ...(closed ? ["--network", "host"] : [])],
    ...Object.entries(buildArgs).flatMap(([key, value]) => ["--build-arg", `${key}=${value}`]),
    ...Object.entries(labels).flatMap(([key, value]) => ["--label", `${key}=${value}`]),
    ...proxyArgs(),
    "-",
  ];
  try {
    await docker(args, { input: packTar(files), environment, timeoutSeconds: 900 });
  } catch (error) {
    if (!(error instanceof DockerError)) throw error;
    throw new Error(`building ${tag} failed: ${tail(`${error.stdout}\n${error.stderr}`, 25)}`, {
      cause: error,
    });
  }
}

/** The machine's proxy for a build: these arguments are predefined and stay out of the image. */
export function proxyArgs(): string[] {
  const names = ["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];
  return names.filter((name) => (process.env[name] ?? "") !== "").flatMap((name) => ["--build-arg", name]);
}

function readTree(directory: string, prefix = ""): TarFile[] {
  const files: TarFile[] = [];
  for (const name of readdirSync(directory).sort()) {
    const path = join(directory, name);
    if (statSync(path).isDirectory()) files.push(...readTree(path, `${prefix}${name}/`));
    else
      files.push({
        path: prefix + name,
        content: readFileSync(path),
        mode: name.endsWith(".sh") ? 0o755 : 0o644,
      });
  }
  return files;
}

function hash(seeds: readonly string[], files: readonly TarFile[]): string {
  const sum = createHash("sha256");
  for (const seed of seeds) sum.update(`${seed}\0`);
  for (const file of files)
    sum
      .update(`${file.path}\0${file.mode ?? 0o644}\0`)
      .update(file.content)
      .update("\0");
  return sum.digest("hex").slice(0, 12);
}
