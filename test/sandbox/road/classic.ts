// The hand-written deploy script, run against the same host as Slipway's releases.
import type { LoadReport } from "../../../cli/rehearse/load/plan";
import type { ImageSet } from "../../../cli/rehearse/world";
import { openSandbox } from "../../../cli/sandbox/local";
import { listResources } from "../../../cli/sandbox/up";
import { runClassicScripts } from "./classicScripts";
import type { Road } from "./road";

/** Gives port 80 back: the classic way publishes the app's own nginx on it. */
export async function makeRoomForClassic(road: Road): Promise<void> {
  await road.onHost("systemctl stop caddy && docker ps --quiet | xargs -r docker stop >/dev/null");
}

/** `setup_env.sh`, then `deploy.sh`, as the deploy user into its home. */
export async function deployClassic(road: Road, release: number, images: ImageSet): Promise<void> {
  const sandbox = openSandbox({ stack: road.stack, sandboxDirectory: road.directory }, () => undefined);
  await runClassicScripts(sandbox, {
    address: new URL(road.url("/")).hostname,
    user: "deploy",
    privateKey: deployKey(road),
    path: "/home/deploy/app",
    app: road.description.directory,
    images,
    release,
    variables: await databaseVariables(road),
  });
}

/** Deploys `to` the classic way under the load that Slipway's releases get. */
export async function classicUnderLoad(
  road: Road,
  from: number,
  to: number,
  images: ImageSet,
): Promise<LoadReport> {
  road.store.update({ serving: from, lastRelease: from });
  const load = await road.startLoad({ releases: to - from });
  try {
    load.mark();
    await deployClassic(road, to, images);
    return await load.finish({ minRequests: 1000, withinSeconds: 40 });
  } finally {
    load.kill();
  }
}

async function databaseVariables(road: Road): Promise<Record<string, string>> {
  const web = await road.onHost(
    "docker ps --all --quiet --filter label=com.docker.compose.service=web | head -n 1",
  );
  const lines = await road.onHost(
    `docker inspect --format '{{range .Config.Env}}{{println .}}{{end}}' ${web}`,
  );
  const pairs = lines.split("\n").map((line) => /^(SQL_\w+)=(.*)$/.exec(line));
  return Object.fromEntries(
    pairs.flatMap((pair) => (pair ? [[pair[1], pair[2]]] : [])) as [string, string][],
  );
}

function deployKey(road: Road): string {
  const resources = listResources({ stack: road.stack, sandboxDirectory: road.directory, showSecrets: true });
  const key = resources.find(
    ({ name, outputs }) => name === "host-deploy-key" && outputs["privateKeyOpenssh"] !== undefined,
  );
  if (typeof key?.outputs["privateKeyOpenssh"] !== "string") throw new Error("the stack made no deploy key");
  return key.outputs["privateKeyOpenssh"];
}
