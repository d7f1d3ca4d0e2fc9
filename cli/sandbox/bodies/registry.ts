import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { issueCertificate } from "./authority";
import { setRecord } from "./dns";
import { docker, DockerError, dockerExec, tail } from "./docker";
import { ensureImage, hasImage } from "./images";
import type { Sandbox } from "./sandbox";

export interface Registry {
  /** Host and port, as image names carry it. */
  readonly server: string;
  readonly username: string;
  /** Secret. */
  readonly password: string;
}

/** Every sandbox has its registry under this name; its droplets resolve and trust it. */
export const registryServer = "registry.sandbox:5000";
const username = "deploy";

/** Starts the registry of the sandbox, with TLS and a login, or gives the one that is there. */
export async function ensureRegistry(sandbox: Sandbox): Promise<Registry> {
  await sandbox.up();
  const container = sandbox.containerName("registry");
  await sandbox.once("registry", async () => {
    const there = await sandbox.find("registry");
    if (there === undefined) await start(sandbox, container);
    else if (!there.running) await docker(["start", container]);
    const probe = ["curl", "-sfk", "--max-time", "2", "-o", "/dev/null", "https://127.0.0.1:5000/"];
    await sandbox.waitFor("its registry", () => dockerExec(container, probe));
  });
  return {
    server: registryServer,
    username,
    password: await dockerExec(container, ["cat", "/etc/slipway/password"]),
  };
}

/** Pushes an image of the local Docker and gives its name by digest: `registry.sandbox:5000/REPO@sha256:…`. */
export async function pushImage(sandbox: Sandbox, localTag: string, repository: string): Promise<string> {
  const registry = await ensureRegistry(sandbox);
  if (!(await hasImage(localTag))) {
    throw new Error(`pushImage: the local Docker has no image ${JSON.stringify(localTag)}. Build it first.`);
  }
  // This machine's Docker trusts what listens on its own loopback, so it needs no certificate and no restart; and it
  // remembers which layers the registry has, which makes all pushes but the first one short.
  const published = await docker(["port", sandbox.containerName("registry"), "5000/tcp"]);
  const server = published.split("\n")[0]?.trim() ?? "";
  const target = `${server}/${repository}:pushed`;
  const config = await mkdtemp(join(tmpdir(), "slipway-push-"));
  try {
    const auth = Buffer.from(`${registry.username}:${registry.password}`).toString("base64");
    await writeFile(join(config, "config.json"), JSON.stringify({ auths: { [server]: { auth } } }), {
      mode: 0o600,
    });
    await docker(["tag", localTag, target]);
    const output = await docker(["--config", config, "push", target]);
    const digest = /digest: (sha256:[0-9a-f]{64})/.exec(output)?.[1];
    if (digest === undefined) throw new Error(`docker push printed no digest: ${tail(output, 3)}`);
    return `${registryServer}/${repository}@${digest}`;
  } catch (error) {
    if (!(error instanceof DockerError)) throw error;
    throw new Error(`pushing ${localTag} to the sandbox's registry failed: ${tail(error.stderr, 5)}`, {
      cause: error,
    });
  } finally {
    await docker(["image", "rm", "--no-prune", target]).catch(() => undefined);
    await rm(config, { recursive: true, force: true });
  }
}

async function start(sandbox: Sandbox, container: string): Promise<void> {
  const password = randomBytes(18).toString("base64url");
  const host = registryServer.replace(/:\d+$/, "");
  const { publicAddress } = await sandbox.create({
    ...{ role: "registry", id: "registry", container, image: await ensureImage("services", sandbox.log) },
    flags: ["--publish", "127.0.0.1::5000"],
    command: ["registry.sh"],
    files: async () => {
      const own = await issueCertificate(sandbox, [host], []);
      return [
        { path: "etc/slipway/tls/server.crt", content: own.certificate },
        { path: "etc/slipway/tls/server.key", content: own.key, mode: 0o600 },
        { path: "etc/slipway/password", content: password, mode: 0o600 },
      ];
    },
  });
  await setRecord(sandbox, host, publicAddress);
}
