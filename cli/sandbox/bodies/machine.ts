import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { TarFile } from "./tar";

/**
 * What this machine needs to reach packages, read from the machine at run time: the images are built with it, and
 * it is in no file of the project.
 */
export interface MachineSettings {
  /** Acquire settings of apt: proxies, time-outs, checks. */
  readonly aptConf: string;
  /** Mirror of the main archive. @default Debian's own */
  readonly mirror: string;
  /** Sources of the suite on the machine's mirrors; empty where the machine is not Debian. */
  readonly sources: string;
  /** The authorities that the machine trusts, as PEM. */
  readonly authorities: string;
  /** Index and proxy settings of pip. */
  readonly pipConf: string;
}

export const suite = "trixie";
const defaultMirror = "http://deb.debian.org/debian";

export async function machineSettings(): Promise<MachineSettings> {
  const mirrors = debianMirrors();
  return {
    aptConf: await aptSettings(),
    mirror: mirrors.main ?? defaultMirror,
    sources: mirrors.main === undefined ? "" : suiteSources(mirrors.main, mirrors.security),
    authorities: authorities(),
    pipConf: pipSettings(),
  };
}

/** The settings as the files that the base image's build expects. */
export function machineFiles(settings: MachineSettings): TarFile[] {
  return [
    { path: "machine/apt.conf", content: settings.aptConf },
    { path: "machine/debian.sources", content: settings.sources },
    { path: "machine/ca.crt", content: settings.authorities },
    { path: "machine/pip.conf", content: settings.pipConf },
  ];
}

// Only how packages are reached: hooks and paths of another distribution would break an image.
async function aptSettings(): Promise<string> {
  const dump = await promisify(execFile)("apt-config", ["dump"]).catch(() => ({ stdout: "" }));
  const wanted = /^Acquire::(https?::(?!User-Agent)|Check-Date|Check-Valid-Until|Retries|ForceIPv)/;
  const lines = dump.stdout.split("\n").filter((line) => wanted.test(line) && !/ ("";|"\/)/.test(line));
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

function debianMirrors(): { main?: string; security?: string } {
  if (!/^ID=debian$/m.test(text("/etc/os-release"))) return {};
  const parts = "/etc/apt/sources.list.d";
  const names = existsSync(parts) ? readdirSync(parts).filter((name) => /\.(list|sources)$/.test(name)) : [];
  const all = [text("/etc/apt/sources.list"), ...names.map((name) => text(join(parts, name)))].join("\n");
  const uris = [...all.matchAll(/^(?:URIs:|deb(?:\s+\[[^\]]*\])?)\s+(https?:\/\/\S+)/gm)].map(
    (match) => match[1] ?? "",
  );
  return {
    main: uris.find((uri) => /\/debian\/?$/.test(uri)),
    security: uris.find((uri) => /debian-security\/?$/.test(uri)),
  };
}

function suiteSources(main: string, security: string | undefined): string {
  const entry = (uri: string, suites: string) =>
    `Types: deb\nURIs: ${uri}\nSuites: ${suites}\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n`;
  const archive = entry(main, `${suite} ${suite}-updates`);
  return security === undefined ? archive : `${archive}\n${entry(security, `${suite}-security`)}`;
}

function authorities(): string {
  const files = [
    process.env.SSL_CERT_FILE,
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
  ];
  return text(files.find((file) => file !== undefined && existsSync(file)) ?? "");
}

function pipSettings(): string {
  const settings = new Map<string, string>();
  const kept = ["index-url", "extra-index-url", "trusted-host", "proxy", "timeout"];
  const files = [
    "/etc/pip.conf",
    "/etc/xdg/pip/pip.conf",
    join(homedir(), ".pip/pip.conf"),
    join(homedir(), ".config/pip/pip.conf"),
  ];
  for (const match of files.flatMap((file) => [...text(file).matchAll(/^([a-z-]+)\s*=\s*(\S.*)$/gm)])) {
    if (kept.includes(match[1] ?? "")) settings.set(match[1] ?? "", match[2] ?? "");
  }
  for (const key of kept) {
    const value = process.env[`PIP_${key.toUpperCase().replaceAll("-", "_")}`];
    if (value !== undefined && value !== "") settings.set(key, value);
  }
  settings.set("cert", "/etc/ssl/certs/ca-certificates.crt");
  return ["[global]", ...[...settings].map(([key, value]) => `${key} = ${value}`), ""].join("\n");
}

function text(path: string): string {
  return path !== "" && existsSync(path) ? readFileSync(path, "utf8") : "";
}
