// The hand-written scripts, run from a container of their own: the machine that runs the tests need not have ssh.
import path from "node:path";
import { docker } from "../../../cli/sandbox/bodies/docker";
import { ensureImage } from "../../../cli/sandbox/bodies/images";
import { ensureRegistry } from "../../../cli/sandbox/bodies/registry";
import type { Sandbox } from "../../../cli/sandbox/bodies/sandbox";

const classicDirectory = path.resolve(__dirname, "../../classic");

export interface ClassicArgs {
  readonly address: string;
  /** Logs in with `privateKey`. */
  readonly user: string;
  readonly privateKey: string;
  /** Where the compose project is on the host; its last part names it. */
  readonly path: string;
  /** Directory of the app, with its docker-compose.prod.yml. */
  readonly app: string;
  /** Tags or digests of WEB_IMAGE and NGINX_IMAGE. */
  readonly images: Readonly<Record<string, string>>;
  /** Number under which the load client knows it. */
  readonly release: number;
  /** SQL_DATABASE, SQL_USER and so on. */
  readonly variables: Readonly<Record<string, string>>;
}

/** `setup_env.sh`, then `deploy.sh`, as the pipeline did. */
export async function runClassicScripts(sandbox: Sandbox, args: ClassicArgs): Promise<void> {
  const { server, username, password } = await ensureRegistry(sandbox);
  const environment: Record<string, string> = {
    ...args.variables,
    CI_REGISTRY: server,
    CI_REGISTRY_USER: username,
    CI_JOB_TOKEN: password,
    CI_PROJECT_NAMESPACE: "shop",
    CI_PROJECT_NAME: "web",
    SECRET_KEY: "tame-enough-for-xargs",
    WEB_IMAGE: args.images["web"] ?? "",
    NGINX_IMAGE: args.images["nginx"] ?? "",
    PGSSLMODE: "require",
    SLIPWAY_RELEASE: String(args.release),
    ENV_FILE: "/tmp/.env",
    PRIVATE_KEY: args.privateKey,
    DEPLOY_USER: args.user,
    DEPLOY_PATH: args.path,
    DEPLOY_COMPOSE_FILE: "/app/docker-compose.prod.yml",
    DIGITAL_OCEAN_IP_ADDRESS: args.address,
  };
  await docker(
    [
      ...["run", "--rm", "--network", "host", "--name", sandbox.containerName("classic")],
      ...["--label", sandbox.label],
      ...["--volume", `${classicDirectory}:/classic:ro`, "--volume", `${args.app}:/app:ro`],
      ...Object.entries(environment).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
      ...["--entrypoint", "sh", await ensureImage("droplet"), "-c"],
      "sh /classic/setup_env.sh && sh /classic/deploy.sh",
    ],
    { timeoutSeconds: 240 },
  );
}
