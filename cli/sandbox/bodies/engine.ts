import { spawn } from "node:child_process";
import { existsSync, openSync, readFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { docker, DockerError, tail } from "./docker";
import { withLock } from "./lock";

export type Log = (line: string) => void;

/** There is no Docker and this process may not install one. The message says what is missing and the cure. */
export class DockerUnavailable extends Error {
  constructor(message: string) {
    super(message);
    this.name = "DockerUnavailable";
  }
}

let ready: Promise<void> | undefined;

/**
 * Makes sure that a Docker engine answers. On Debian and Ubuntu, as root, it installs the distribution's Docker and
 * starts it, with systemd or without; anywhere else it throws DockerUnavailable.
 */
export function ensureDocker(log: Log = () => undefined): Promise<void> {
  ready ??= withLock("engine", () => start(log)).catch((error: unknown) => {
    ready = undefined;
    throw error;
  });
  return ready;
}

async function start(log: Log): Promise<void> {
  if (process.platform !== "linux") {
    throw new DockerUnavailable(
      `the sandbox needs Linux, this is ${process.platform}. Run it in a Linux machine, a virtual one is enough.`,
    );
  }
  const problem = await unreachable();
  if (problem === undefined) return;
  if (process.getuid?.() !== 0) throw new DockerUnavailable(cureWithoutRoot(problem));
  if (problem.code === 127 || !has("dockerd")) await install(problem, log);
  if ((await unreachable()) === undefined) return;
  if (existsSync("/run/systemd/system")) await command("systemctl", ["start", "docker"]);
  else await startByHand(log);
  await answers(60);
}

async function unreachable(): Promise<DockerError | undefined> {
  try {
    await docker(["version", "--format", "{{.Server.Version}}"], { timeoutSeconds: 20 });
    return undefined;
  } catch (error) {
    if (error instanceof DockerError) return error;
    throw error;
  }
}

function cureWithoutRoot(problem: DockerError): string {
  if (problem.code === 127)
    return "the command 'docker' is missing. Install Docker, or run this as root on Debian or Ubuntu.";
  if (/permission denied/i.test(problem.stderr)) {
    return "this user may not use Docker. Add it to the group 'docker' (sudo usermod -aG docker $USER) and log in again.";
  }
  return `no Docker engine answers: ${tail(problem.stderr, 2)}. Start it (sudo systemctl start docker), or run this as root.`;
}

async function install(problem: DockerError, log: Log): Promise<void> {
  const system = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  if (!/^ID(_LIKE)?=.*(debian|ubuntu)/m.test(system) || !has("apt-get")) {
    throw new DockerUnavailable(
      `no Docker engine answers (${tail(problem.stderr, 1)}), and this system is neither Debian nor Ubuntu: install Docker and run this again.`,
    );
  }
  log("installing Docker from the distribution");
  const environment = { DEBIAN_FRONTEND: "noninteractive" };
  await command("apt-get", ["update", "-qq"], environment).catch(() => undefined);
  const wanted = ["docker-cli", "docker-buildx", ...(mountsCgroups() ? [] : ["cgroupfs-mount"])];
  const offered: string[] = [];
  for (const name of wanted) {
    const policy = await command("apt-cache", ["policy", name]).catch(() => "");
    if (/Candidate: \d/.test(policy)) offered.push(name);
  }
  await command(
    "apt-get",
    ["install", "-y", "-qq", "--no-install-recommends", "docker.io", "iptables", ...offered],
    environment,
  );
}

/** dockerd without an init system: its own session, so that it outlives the rehearsal and its terminal. */
async function startByHand(log: Log): Promise<void> {
  if (!mountsCgroups() && has("cgroupfs-mount")) await command("cgroupfs-mount", []);
  const file = join(await mkdtemp(join(tmpdir(), "slipway-dockerd-")), "dockerd.log");
  log(`starting dockerd, its log is ${file}`);
  const output = openSync(file, "a");
  const child = spawn("dockerd", [], {
    detached: true,
    stdio: ["ignore", output, output],
    env: { ...process.env, PATH: searchPath },
  });
  child.on("error", () => undefined);
  child.unref();
  await answers(60, file);
}

async function answers(seconds: number, logFile?: string): Promise<void> {
  const limit = Date.now() + seconds * 1000;
  let problem = await unreachable();
  while (problem !== undefined && Date.now() < limit) {
    await sleep(250);
    problem = await unreachable();
  }
  if (problem === undefined) return;
  const said = logFile === undefined ? tail(problem.stderr, 3) : tail(readFileSync(logFile, "utf8"), 5);
  throw new DockerUnavailable(`dockerd was started and does not answer after ${seconds} s: ${said}`);
}

function mountsCgroups(): boolean {
  return /^\S+ \/sys\/fs\/cgroup\S* cgroup2? /m.test(readFileSync("/proc/mounts", "utf8"));
}

// A root shell does not always have the directories of the system's own programs.
const searchPath = [process.env.PATH ?? "", "/usr/sbin", "/sbin"].join(":");

function has(program: string): boolean {
  return searchPath.split(":").some((directory) => existsSync(join(directory, program)));
}

async function command(
  program: string,
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<string> {
  const child = spawn(program, [...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, PATH: searchPath, ...environment },
  });
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const code = await new Promise<number>((resolve) => {
    child.on("error", () => resolve(127));
    child.on("close", (status) => resolve(status ?? 137));
  });
  if (code !== 0)
    throw new DockerUnavailable(
      `${program} ${args.join(" ")} failed (exit ${code}): ${tail(errors || output, 5)}`,
    );
  return output;
}
