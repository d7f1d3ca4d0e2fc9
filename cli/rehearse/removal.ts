import { rmSync } from "node:fs";
import { docker } from "../sandbox/bodies/docker";
import { openSandbox } from "../sandbox/local";
import { removeAppImages } from "./images";

export interface Removal {
  readonly stack: string;
  /** `.sandbox/<stack>` of the project. */
  readonly directory: string;
  /** Whether the images that were built for the app go too. */
  readonly images: boolean;
}

/** Removes a stack's sandbox: containers, networks, volumes and state. Returns what is left, and how to remove it. */
export async function removeSandbox({ stack, directory, images }: Removal): Promise<readonly string[]> {
  const sandbox = openSandbox({ stack, sandboxDirectory: directory }, () => undefined);
  await sandbox.down();
  rmSync(directory, { recursive: true, force: true });
  if (images) await removeAppImages(sandbox);
  const left = await sandbox.list();
  if (!images) return left;
  const cache = await docker(["images", "--format", "{{.Repository}}:{{.Tag}}", "slipway-sandbox/*"]);
  // The app images of other sandboxes are no cache.
  const names = cache.split("\n").filter((name) => name !== "" && !name.startsWith("slipway-sandbox/app-"));
  if (names.length === 0) return left;
  return [
    ...left,
    `${names.length} images, a cache for the next rehearsal; remove it with: docker rmi ${names.join(" ")}`,
  ];
}
