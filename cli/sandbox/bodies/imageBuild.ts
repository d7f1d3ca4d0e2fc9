import { existsSync } from "node:fs";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { docker, DockerError, tail } from "./docker";
import { externalImages, replaceImages, withoutBuildKit, withoutSyntax } from "./dockerfile";
import type { Log } from "./engine";
import { builder, ensureImage, hasImage, isClosedMachine, proxyArgs, type ImageKind } from "./images";

export interface BuildArgs {
  /** Directory that the build reads. */
  readonly context: string;
  /** Path from the context. @default "Dockerfile" */
  readonly dockerfile?: string;
  readonly tag: string;
  readonly buildArgs?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

/**
 * Builds an app's image from its own Dockerfile. Images it starts from are taken from the local Docker, else pulled;
 * where neither works, python, nginx, postgres, redis and debian are replaced by the sandbox's stand-ins in a temporary
 * copy of the Dockerfile, said aloud. Any other image that is missing is an error that names it.
 */
export async function buildAppImage(sandbox: { readonly log: Log }, args: BuildArgs): Promise<string> {
  const context = resolve(args.context);
  const path = resolve(context, args.dockerfile ?? "Dockerfile");
  if (!existsSync(path)) {
    throw new Error(
      `buildAppImage: there is no Dockerfile ${path}; accepted: a path from the context ${context}`,
    );
  }
  const text = await readFile(path, "utf8");
  const buildArgs = args.buildArgs ?? {};
  const [closed, { environment, buildKit }] = await Promise.all([isClosedMachine(), builder()]);
  const name = relative(process.cwd(), path);
  const standIns = await findStandIns(sandbox.log, text, buildArgs, name);
  const replaced = replaceImages(text, buildArgs, standIns);
  const plain = buildKit
    ? { text: closed ? withoutSyntax(replaced) : replaced, left: [] }
    : withoutBuildKit(replaced);
  if (plain.left.length > 0)
    sandbox.log(`${name}: this Docker has no BuildKit, so its ${plain.left.join(" and ")} are left out`);

  const temporary = await mkdtemp(join(tmpdir(), "slipway-build-"));
  try {
    const copy = join(temporary, "Dockerfile");
    await writeFile(copy, plain.text);
    if (existsSync(`${path}.dockerignore`)) await copyFile(`${path}.dockerignore`, `${copy}.dockerignore`);
    const flags = [
      ...[
        "--file",
        plain.text === text ? path : copy,
        "--tag",
        args.tag,
        ...(closed ? ["--network", "host"] : []),
      ],
      ...Object.entries(buildArgs).flatMap(([key, value]) => ["--build-arg", `${key}=${value}`]),
      ...Object.entries(args.labels ?? {}).flatMap(([key, value]) => ["--label", `${key}=${value}`]),
      ...proxyArgs(),
    ];
    await docker(["build", ...flags, context], { environment, timeoutSeconds: 1800 });
    return args.tag;
  } catch (error) {
    if (!(error instanceof DockerError)) throw error;
    const said = tail(`${error.stdout}\n${error.stderr}`.replaceAll(/^DEPRECATED:.*\n(?: .*\n)*/gm, ""), 25);
    throw new Error(`building ${args.tag} from ${name} failed:\n${said}`, { cause: error });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function findStandIns(
  log: Log,
  text: string,
  buildArgs: Readonly<Record<string, string>>,
  name: string,
): Promise<Map<string, string>> {
  const standIns = new Map<string, string>();
  for (const { image, line } of externalImages(text, buildArgs)) {
    const tag = await localImage(log, image, `${name} line ${line}`);
    if (tag !== image) standIns.set(image, tag);
  }
  return standIns;
}

/**
 * The name under which the local Docker has an image from outside: its own, pulled when it was missing, or that of the
 * sandbox's stand-in, said aloud. `where` tells who asks for it.
 * @throws naming the image when it cannot be had and nothing stands in for it.
 */
export async function localImage(log: Log, image: string, where: string): Promise<string> {
  const reason = await missing(image);
  if (reason === undefined) return image;
  const kind = standInKind(image);
  if (kind === undefined) {
    throw new Error(
      `${where}: the image ${image} is not in the local Docker and cannot be pulled (${reason}). ` +
        `Run "docker pull ${image}" or "docker load" where it can be had, or start from python, nginx, postgres, redis or debian, ` +
        "for which the sandbox has stand-ins.",
    );
  }
  const tag = await ensureImage(kind, log);
  log(`${where}: ${image} cannot be pulled, ${standInName[kind]} of Debian 13 stands in for it`);
  return tag;
}

async function missing(image: string): Promise<string | undefined> {
  if (await hasImage(image)) return undefined;
  try {
    await docker(["pull", "--quiet", image], { timeoutSeconds: 600 });
    return undefined;
  } catch (error) {
    return error instanceof DockerError ? tail(error.stderr, 1) : String(error);
  }
}

type StandInKind = Exclude<ImageKind, "droplet" | "services">;
const standInName: Record<StandInKind, string> = {
  python: "Python 3.13",
  nginx: "nginx",
  postgres: "PostgreSQL 17",
  redis: "Redis",
  base: "the base system",
};

const standInKinds: ReadonlyMap<string, StandInKind> = new Map<string, StandInKind>([
  ["debian", "base"],
  ...(["python", "nginx", "postgres", "redis"] as const).map((name) => [name, name] as const),
]);

/** The stand-in for an image of Docker Hub's official ones, under whatever mirror's name. */
export function standInKind(image: string): StandInKind | undefined {
  const repository = image
    .replace(/@.*$/, "")
    .replace(/:[^/:]*$/, "")
    .split("/")
    .at(-1);
  return repository === undefined ? undefined : standInKinds.get(repository);
}
