import { dockerExec } from "./docker";
import type { Sandbox } from "./sandbox";
import type { TarFile } from "./tar";

/** The certificate of the sandbox's authority, as PEM. */
export async function authority(sandbox: Sandbox): Promise<string> {
  await sandbox.up();
  return dockerExec(sandbox.containerName("names"), ["cat", "/etc/slipway/tls/ca.crt"]);
}

/** A certificate for these names and addresses, signed by the sandbox's authority. */
export async function issueCertificate(
  sandbox: Sandbox,
  names: readonly string[],
  addresses: readonly string[],
): Promise<{ certificate: string; key: string }> {
  const subjects = [
    ...names.map((name) => `DNS:${name}`),
    ...addresses.map((address) => `IP:${address}`),
  ].join(",");
  const argv = ["authority.sh", "issue", names[0] ?? addresses[0] ?? "sandbox", subjects];
  const pem = await dockerExec(sandbox.containerName("names"), argv);
  const cut = pem.indexOf("-----BEGIN PRIVATE KEY-----");
  return { certificate: pem.slice(0, cut), key: pem.slice(cut) };
}

/** The authority itself, key included, for the bodies that sign on their own. */
export async function authorityFiles(sandbox: Sandbox): Promise<TarFile[]> {
  const read = (name: string) =>
    dockerExec(sandbox.containerName("names"), ["cat", `/etc/slipway/tls/${name}`]);
  const [certificate, key] = await Promise.all([read("ca.crt"), read("ca.key")]);
  return [
    { path: "etc/slipway/tls/ca.crt", content: certificate },
    { path: "etc/slipway/tls/ca.key", content: key, mode: 0o600 },
  ];
}
