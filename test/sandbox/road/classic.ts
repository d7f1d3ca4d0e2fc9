// The hand-written deploy script, run against the same host as Slipway's releases, from a container of its own: the
// machine that runs the tests need not have ssh.
import path from "node:path";
import type { LoadReport } from "../../../cli/rehearse/load/plan";
import type { ImageSet } from "../../../cli/rehearse/world";
import { docker } from "../../../cli/sandbox/bodies/docker";
import { ensureImage } from "../../../cli/sandbox/bodies/images";
import { ensureRegistry } from "../../../cli/sandbox/bodies/registry";
import { openSandbox } from "../../../cli/sandbox/local";
import { listResources } from "../../../cli/sandbox/up";
import type { Road } from "./road";

const classicDirectory = path.resolve(__dirname, "../../classic");
const appDirectory = path.resolve(__dirname, "../../../examples/django-docker");

/** Gives port 80 back: the classic way publishes the app's own nginx on it. */
export async function makeRoomForClassic(road: Road): Promise<void> {
  await road.onHost("systemctl stop caddy && docker ps --quiet | xargs -r docker stop >/dev/null");
}

/** `setup_env.sh`, then `deploy.sh`, as the pipeline did. */
export async function deployClassic(road: Road, release: number, images: ImageSet): Promise<void> {
  const sandbox = openSandbox({ stack: road.stack, sandboxDirectory: road.directory }, () => undefined);
  const { server, username, password } = await ensureRegistry(sandbox);
  const { container } = await road.host();
  const variables = await databaseVariables(road);
  const environment: Record<string, string> = {
    ...variables,
    CI_REGISTRY: server,
    CI_REGISTRY_USER: username,
    CI_JOB_TOKEN: password,
    CI_PROJECT_NAMESPACE: "shop",
    CI_PROJECT_NAME: "web",
    SECRET_KEY: "tame-enough-for-xargs",
    WEB_IMAGE: images["web"] ?? "",
    NGINX_IMAGE: images["nginx"] ?? "",
    PGSSLMODE: "require",
    SLIPWAY_RELEASE: String(release),
    ENV_FILE: "/tmp/.env",
    PRIVATE_KEY: deployKey(road),
    DEPLOY_USER: "deploy",
    DEPLOY_PATH: "/home/deploy/app",
    DEPLOY_COMPOSE_FILE: "/app/docker-compose.prod.yml",
    DIGITAL_OCEAN_IP_ADDRESS: new URL(road.url("/")).hostname,
  };
  await docker(
    [
      ...["run", "--rm", "--network", "host", "--name", `${container}-classic`, "--label", sandbox.label],
      ...["--volume", `${classicDirectory}:/classic:ro`, "--volume", `${appDirectory}:/app:ro`],
      ...Object.entries(environment).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
      ...["--entrypoint", "sh", await ensureImage("droplet"), "-c"],
      "sh /classic/setup_env.sh && sh /classic/deploy.sh",
    ],
    { timeoutSeconds: 240 },
  );
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
