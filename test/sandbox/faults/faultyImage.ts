import path from "node:path";
import { buildAppImage } from "../../../cli/sandbox/bodies/imageBuild";
import { pushImage } from "../../../cli/sandbox/bodies/registry";
import { openSandbox } from "../../../cli/sandbox/local";
import type { Road } from "../road/road";

/** Builds and pushes the image of release 2 with faults in it that variables turn on. */
export async function pushFaultyImage(road: Road): Promise<string> {
  const { stack, directory: sandboxDirectory } = road;
  const sandbox = openSandbox({ stack, sandboxDirectory }, () => undefined);
  const tag = (variant: string): string => `slipway-sandbox/app-${sandbox.name}-app:${variant}`;
  await buildAppImage(sandbox, {
    context: path.join(__dirname, "faulty"),
    tag: tag("faulty"),
    buildArgs: { IMAGE: tag("release-2") },
    // As those of the app, so that it is removed with them.
    labels: { "slipway.app": sandbox.name },
  });
  return pushImage(sandbox, tag("faulty"), "app/app");
}
