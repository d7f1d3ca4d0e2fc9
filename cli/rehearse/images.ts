import * as path from "node:path";
import { docker, DockerError } from "../sandbox/bodies/docker";
import { buildAppImage, localImage } from "../sandbox/bodies/imageBuild";
import { pushImage } from "../sandbox/bodies/registry";
import type { Sandbox } from "../sandbox/bodies/sandbox";
import type { AppDescription } from "./description";
import type { ImageSet, Variant } from "./world";

const appLabel = "slipway.app";
const brokenDirectory = path.join(__dirname, "broken");

/** The images of one app: three builds of it in the local Docker, and their digests in the sandbox's registry. */
export class AppImages {
  private readonly pushed = new Map<string, string>();
  private readonly found = new Map<string, string>();
  private log: (line: string) => void = () => undefined;

  constructor(
    private readonly sandbox: Sandbox,
    private readonly description: AppDescription,
  ) {}

  async build(variant: Variant, log: (line: string) => void): Promise<void> {
    this.log = log;
    for (const [service, image] of Object.entries(this.description.outside)) await this.local(service, image);
    if (variant === "broken") return this.buildBroken(log);
    const release = variant === "release-1" ? "1" : "2";
    for (const [name, spec] of Object.entries(this.description.build)) {
      await buildAppImage(
        { log },
        {
          ...spec,
          tag: this.tag(variant, name),
          // Two builds of the same source are to differ, so that a host that serves the wrong one is found out.
          buildArgs: { RELEASE: release },
          labels: { ...this.labels, "slipway.release": release },
        },
      );
    }
  }

  /** `name -> registry/repository@sha256:…`; an image that several variants share is pushed once. */
  async push(variant: Variant): Promise<ImageSet> {
    const images: Record<string, string> = {};
    for (const name of Object.keys(this.description.build)) {
      images[name] = await this.pushOnce(this.tag(this.origin(variant, name), name), name);
    }
    for (const [service, image] of Object.entries(this.description.outside)) {
      // Pinned as a release would pin it: the host asks no registry but the sandbox's.
      images[service] = await this.pushOnce(await this.local(service, image), service);
    }
    return images;
  }

  private async pushOnce(tag: string, name: string): Promise<string> {
    const reference = this.pushed.get(tag) ?? (await pushImage(this.sandbox, tag, `app/${name}`));
    this.pushed.set(tag, reference);
    return reference;
  }

  private async local(service: string, image: string): Promise<string> {
    const tag = this.found.get(image) ?? (await localImage(this.log, image, `service ${service}`));
    this.found.set(image, tag);
    return tag;
  }

  private get labels(): Record<string, string> {
    return { [appLabel]: this.sandbox.name };
  }

  /** Only Django is broken on purpose: the other images are those of release 2. A database's is the same in all. */
  private origin(variant: Variant, name: string): Variant {
    if (this.description.stateful.includes(name)) return "release-1";
    return variant === "broken" && name !== this.description.djangoImage ? "release-2" : variant;
  }

  private tag(variant: Variant, name: string): string {
    return `slipway-sandbox/app-${this.sandbox.name}-${name}:${variant}`;
  }

  private async buildBroken(log: (line: string) => void): Promise<void> {
    const name = this.description.djangoImage;
    await buildAppImage(
      { log },
      {
        context: brokenDirectory,
        dockerfile: path.join(brokenDirectory, "Dockerfile"),
        tag: this.tag("broken", name),
        buildArgs: { IMAGE: this.tag("release-2", name) },
        labels: this.labels,
      },
    );
  }
}

/** Removes the images that were built for the app of a sandbox. What they are made of stays. */
export async function removeAppImages({ name }: Sandbox): Promise<void> {
  const list = async (...options: string[]): Promise<string[]> =>
    (await docker(["images", ...options, "--filter", `label=${appLabel}=${name}`]))
      .split("\n")
      .filter(Boolean);
  const named = await list("--format", "{{.Repository}}:{{.Tag}}");
  const tags = named.filter((tag) => !tag.includes("<none>"));
  if (tags.length > 0) await docker(["rmi", "--force", ...tags]);
  for (const id of new Set(await list("--quiet", "--filter", "dangling=true"))) {
    await docker(["rmi", id]).catch((error: unknown) => {
      // An image of somebody else is made of this one: it goes with that.
      if (
        !(error instanceof DockerError) ||
        !/dependent child|is being used|No such image/i.test(error.stderr)
      )
        throw error;
    });
  }
}
