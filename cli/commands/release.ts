import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import * as path from "node:path";
import type { Command } from "commander";
import {
  isDigestReference,
  readReleaseFile,
  type ReleaseFile,
  writeReleaseFile,
} from "../../components/release/releaseFile";
import { usageError } from "../errors";
import { findProject, findStackApp } from "../project";

const acceptedImage =
  "NAME=REPOSITORY@sha256:<64 hex digits>, such as web=registry.example.com/shop/web@sha256:4c1f…";

export function addReleaseCommand(program: Command): void {
  const release = program.command("release").description("what a stack shall run");
  release
    .command("set")
    .summary("write the next release number into the stack's release file")
    .description(
      "Writes the next release number and the given images into releases/<stack>.yaml, for one of several apps " +
        "releases/<stack>/<app>.yaml, or the file that the stack's releasesFile names. Images that are not named stay " +
        "as they are. Nothing is deployed: `pulumi up` does.",
    )
    .requiredOption("--stack <name>", "stack, as in Pulumi.<name>.yaml")
    .option("--app <name>", "which app, when the stack has several")
    .option("--commit <sha>", "commit that the images were built from, for the record")
    .argument("<image...>", acceptedImage)
    .action(async (images: string[], options: { stack: string; app?: string; commit?: string }) => {
      const project = findProject(process.cwd());
      const { releasesFile: file } = findStackApp(project, options.stack, options.app);
      const { previous, next } = await setRelease(file, parseImages(images), options.commit);
      const shown = path.relative(process.cwd(), file);
      console.log(`${shown}: release ${next.release} (was ${previous.release})`);
      for (const [name, reference] of Object.entries(next.images)) {
        console.log(`  ${name}  ${reference}${previous.images[name] === reference ? "  (as before)" : ""}`);
      }
      console.log(`Ship it with: pulumi up --stack ${options.stack}`);
    });
}

/** Reads `NAME=REFERENCE` arguments. @throws for a tag, an unreadable argument or a name that comes twice. */
export function parseImages(args: readonly string[]): Record<string, string> {
  const images: Record<string, string> = {};
  for (const arg of args) {
    const [, name, reference] = /^([a-z0-9][a-z0-9._-]*)=(.+)$/.exec(arg) ?? [];
    if (name === undefined || reference === undefined) {
      throw usageError("an image could not be read", {
        received: arg,
        accepted: acceptedImage,
        cure: "give every image as NAME=REFERENCE",
      });
    }
    if (!isDigestReference(reference)) {
      throw usageError(`the image of "${name}" is not named by its digest`, {
        received: arg,
        accepted: acceptedImage,
        cure: "a tag can be moved to other content: take the digest that `docker push` prints, or `docker inspect --format '{{index .RepoDigests 0}}' IMAGE`",
      });
    }
    if (name in images) {
      throw usageError(`the image of "${name}" is given twice`, {
        received: args.join(" "),
        accepted: "each name once",
        cure: "leave one of the two out",
      });
    }
    images[name] = reference;
  }
  return images;
}

/** Writes the next release. Images that are not named are taken over from the release before. */
export async function setRelease(
  file: string,
  images: Readonly<Record<string, string>>,
  commit?: string,
): Promise<{ previous: ReleaseFile; next: ReleaseFile }> {
  const previous = existsSync(file) ? await readOrRefuse(file) : { release: 0, images: {} };
  const next = {
    release: previous.release + 1,
    images: { ...previous.images, ...images },
    ...(commit === undefined ? {} : { commit }),
  };
  await mkdir(path.dirname(file), { recursive: true });
  await writeReleaseFile(file, next);
  return { previous, next };
}

async function readOrRefuse(file: string): Promise<ReleaseFile> {
  return readReleaseFile(file).catch((error: Error) => {
    throw usageError(error.message, { cure: "put the file right, or take it back from version control" });
  });
}
