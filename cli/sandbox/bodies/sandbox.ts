import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { remaining, removeLabelled } from "./cleanup";
import { createContainer, inspectMembers, type CreateArgs, type Addresses, type Member } from "./containers";
import { docker, DockerError, dockerExec } from "./docker";
import { ensureDocker, type Log } from "./engine";
import { clearState } from "./files";
import { ensureImage } from "./images";
import { withLock } from "./lock";
import { addressAt, candidates, overlaps, parseRange, routedRanges, type Range } from "./subnets";

export interface SandboxArgs {
  /** Lower case letters, digits and dashes, at most 30; containers, networks and volumes carry it. */
  readonly name: string;
  /** Directory of this sandbox's own files. */
  readonly dir: string;
  /** Hears what is built, substituted or skipped. @default nobody */
  readonly log?: Log;
}

const sandboxLabel = "slipway.sandbox";
const namePattern = /^[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?$/;
const nameServerIndex = 2;

/** One cloud on this machine: a public network, its name server and authority, and all that stands in it. */
export class Sandbox {
  readonly name: string;
  readonly dir: string;
  readonly log: Log;
  private queue: Promise<unknown> = Promise.resolve();
  private readonly running = new Map<string, Promise<void>>();

  constructor(args: SandboxArgs) {
    if (!namePattern.test(args.name)) {
      throw new Error(
        `Sandbox: name is ${JSON.stringify(args.name)}; accepted: lower case letters, digits and dashes, at most 30`,
      );
    }
    this.name = args.name;
    this.dir = args.dir;
    this.log = args.log ?? (() => undefined);
  }

  get label(): string {
    return `${sandboxLabel}=${this.name}`;
  }

  /**
   * Name of the public network. It sorts before those of the VPCs, because Docker takes a container's default
   * gateway from the network whose name comes first.
   */
  get network(): string {
    return this.containerName("internet");
  }

  containerName(part: string): string {
    return `slipway-${this.name}-${part}`;
  }

  /** Makes the network, the name server and the authority, and does nothing where they are there. */
  up(): Promise<void> {
    return this.once("up", async () => {
      await ensureDocker(this.log);
      await mkdir(this.dir, { recursive: true, mode: 0o700 });
      const image = await ensureImage("services", this.log);
      await this.ensureNetwork(this.network, []);
      const container = this.containerName("names");
      const there = await this.find("names");
      if (there === undefined) {
        const address = await this.nameServer();
        await this.create({
          role: "names",
          id: "names",
          container,
          image,
          address,
          command: ["names.sh", "serve", address],
        });
      } else if (!there.running) await docker(["start", container]);
      await this.waitFor("its name server", () => dockerExec(container, ["names.sh", "ready"]));
      await this.startStopped();
    });
  }

  // A reboot of this machine stops them all.
  private async startStopped(): Promise<void> {
    const stopped = (await this.members()).filter((member) => member.stopped);
    if (stopped.length === 0) return;
    this.log(`starting what was stopped: ${stopped.map((member) => member.container).join(", ")}`);
    await Promise.all(stopped.map((member) => docker(["start", member.container])));
  }

  /** Removes every container, network and volume of the sandbox, and frees its loop devices. */
  async down(): Promise<void> {
    this.running.clear();
    await ensureDocker(this.log);
    await removeLabelled(this.label);
    await clearState(this);
  }

  /** Names of everything of this sandbox that Docker has now; empty after down(). */
  list(): Promise<string[]> {
    return remaining(this.label);
  }

  /** The containers of the sandbox, of one role or all. */
  members(role?: string): Promise<Member[]> {
    return inspectMembers([this.label, ...(role === undefined ? [] : [`slipway.role=${role}`])]);
  }

  async find(role: string, id?: string): Promise<Member | undefined> {
    return (await this.members(role)).find((member) => id === undefined || member.id === id);
  }

  async get(role: string, id: string): Promise<Member> {
    const member = await this.find(role, id);
    if (member !== undefined) return member;
    throw new Error(`the sandbox ${this.name} has no ${role} with the id ${JSON.stringify(id)}`);
  }

  /** Creates, fills and starts a container with fixed addresses, so that it keeps them when it restarts. */
  create(args: CreateArgs): Promise<Addresses> {
    return createContainer(this, args);
  }

  /** Address of the name server. */
  async nameServer(): Promise<string> {
    return addressAt(await this.range(this.network), nameServerIndex);
  }

  /** Runs the work while nobody else, in this process or another, does exclusive work on this sandbox. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    const locked = (): Promise<T> => withLock(`sandbox-${this.name}`, work);
    const result = this.queue.then(locked, locked);
    this.queue = result.catch(() => undefined);
    return result;
  }

  /** Runs the work of that name once, however many ask for it, and after other processes; again after it failed. */
  once(name: string, work: () => Promise<void>): Promise<void> {
    const known = this.running.get(name);
    if (known !== undefined) return known;
    const started = withLock(`sandbox-${this.name}-${name}`, work).catch((error: unknown) => {
      this.running.delete(name);
      throw error;
    });
    this.running.set(name, started);
    return started;
  }

  /** The range of a network of this sandbox. */
  async range(network: string): Promise<Range> {
    return parseRange(await docker(["network", "inspect", "--format", subnetFormat, network]));
  }

  /** Makes a network on the first of the wanted ranges that nothing on this machine has, and gives that range. */
  async ensureNetwork(
    name: string,
    flags: readonly string[],
    wanted: readonly string[] = [],
  ): Promise<string> {
    const there = await docker(["network", "inspect", "--format", subnetFormat, name]).catch(() => undefined);
    if (there !== undefined) return there.trim();
    const routed = routedRanges(readFileSync("/proc/net/route", "utf8"));
    for (const range of [...wanted, ...candidates(name)]) {
      if (routed.some((route) => overlaps(route, parseRange(range)))) continue;
      try {
        await docker(["network", "create", "--label", this.label, "--subnet", range, ...flags, name]);
        return range;
      } catch (error) {
        if (!(error instanceof DockerError) || !/overlap|conflict/i.test(error.stderr)) throw error;
      }
    }
    throw new Error(
      `no free range for the network ${name}: each that was tried between 10.200 and 10.231 is in use`,
    );
  }

  /** Repeats a probe until it passes. Throws with the last reason after the limit. */
  async waitFor<T>(what: string, probe: () => Promise<T>, seconds = 60): Promise<T> {
    const limit = Date.now() + seconds * 1000;
    for (;;) {
      try {
        return await probe();
      } catch (error) {
        if (Date.now() > limit) {
          throw new Error(`waited ${seconds} s for ${what} in the sandbox ${this.name}: ${String(error)}`, {
            cause: error,
          });
        }
      }
      await sleep(100);
    }
  }
}

const subnetFormat = "{{(index .IPAM.Config 0).Subnet}}";
