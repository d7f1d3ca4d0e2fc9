import { randomBytes } from "node:crypto";
import { authority, issueCertificate } from "./authority";
import { setRecord } from "./dns";
import { docker, dockerExec, dockerPipe } from "./docker";
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
  await ensureRegistry(sandbox);
  if (!(await hasImage(localTag))) {
    throw new Error(`pushImage: the local Docker has no image ${JSON.stringify(localTag)}. Build it first.`);
  }
  // From inside the registry's container, so that this machine's own Docker has to trust nothing.
  const push = ["exec", "-i", sandbox.containerName("registry"), "registry.sh", "receive", repository];
  const digest = await dockerPipe(["save", localTag], push);
  return `${registryServer}/${repository}@${digest.trim()}`;
}

async function start(sandbox: Sandbox, container: string): Promise<void> {
  const password = randomBytes(18).toString("base64url");
  const host = registryServer.replace(/:\d+$/, "");
  const { publicAddress } = await sandbox.create({
    ...{ role: "registry", id: "registry", container, image: await ensureImage("services", sandbox.log) },
    command: ["registry.sh", "serve"],
    files: async () => {
      const [trusted, own] = await Promise.all([
        authority(sandbox),
        issueCertificate(sandbox, [host], ["127.0.0.1"]),
      ]);
      const login = {
        auths: { "127.0.0.1:5000": { auth: Buffer.from(`${username}:${password}`).toString("base64") } },
      };
      return [
        { path: "etc/slipway/tls/server.crt", content: own.certificate },
        { path: "etc/slipway/tls/server.key", content: own.key, mode: 0o600 },
        { path: "etc/slipway/password", content: password, mode: 0o600 },
        { path: "etc/slipway/auth.json", content: JSON.stringify(login), mode: 0o600 },
        { path: "etc/docker/certs.d/127.0.0.1:5000/ca.crt", content: trusted },
      ];
    },
  });
  await setRecord(sandbox, host, publicAddress);
}
