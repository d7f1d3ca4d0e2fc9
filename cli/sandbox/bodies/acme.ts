import { authority, authorityFiles } from "./authority";
import { setRecord } from "./dns";
import { docker, dockerExec } from "./docker";
import { ensureImage } from "./images";
import type { Sandbox } from "./sandbox";

export interface Acme {
  /** Directory URL, as droplets reach it. */
  readonly directory: string;
  /** What signs the directory's own certificate and those that it issues, as PEM. */
  readonly caCertificate: string;
}

const host = "acme.sandbox";

/** Starts the authority that issues certificates by ACME for the sandbox's names, or gives the one that is there. */
export async function ensureAcme(sandbox: Sandbox): Promise<Acme> {
  await sandbox.up();
  const container = sandbox.containerName("acme");
  const directory = `https://${host}/acme/local/directory`;
  await sandbox.once("acme", async () => {
    const there = await sandbox.find("acme");
    if (there === undefined) await start(sandbox, container);
    else if (!there.running) await docker(["start", container]);
    const options = [
      "--max-time",
      "2",
      "--cacert",
      "/etc/slipway/tls/ca.crt",
      "--resolve",
      `${host}:443:127.0.0.1`,
    ];
    await sandbox.waitFor("its ACME authority", () =>
      dockerExec(container, ["curl", "-sf", "-o", "/dev/null", ...options, directory]),
    );
  });
  return { directory, caCertificate: await authority(sandbox) };
}

async function start(sandbox: Sandbox, container: string): Promise<void> {
  const { publicAddress } = await sandbox.create({
    ...{ role: "acme", id: "acme", container, image: await ensureImage("services", sandbox.log) },
    // It proves that an applicant holds a name by asking for it, so it has to see the sandbox's names.
    flags: ["--dns", await sandbox.nameServer()],
    command: ["caddy", "run", "--config", "/etc/slipway/Caddyfile", "--adapter", "caddyfile"],
    files: () => authorityFiles(sandbox),
  });
  await setRecord(sandbox, host, publicAddress);
}
