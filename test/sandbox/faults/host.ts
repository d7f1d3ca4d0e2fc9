// What the tests of faults do to a host, and what they look at there.
import { readFileSync } from "node:fs";
import path from "node:path";
import { dockerExec } from "../../../cli/sandbox/bodies/docker";
import { cutSsh } from "../../../cli/sandbox/bodies/droplet";
import { openSandbox } from "../../../cli/sandbox/local";
import type { Road } from "../road/road";

export type Moment = "begin" | "end";

export class FaultyHost {
  constructor(
    private readonly road: Road,
    private readonly app: string,
  ) {}

  /** Lets every unit of the host read fault.sh, until it is rebooted. */
  async install(): Promise<void> {
    await this.write("/root/fault.sh", script("fault.sh"));
    await this.road.onHost("systemctl set-environment BASH_ENV=/root/fault.sh");
  }

  /** The next release that comes there is killed, or held until `go`. */
  async plan(step: string, moment: Moment, how: "kill" | "hold"): Promise<void> {
    await this.road.onHost(`rm -f /run/fault.*; echo ${step} ${moment} ${how} >/run/fault`);
  }

  /** Waits until a release is held. */
  async held(): Promise<void> {
    await this.road.onHost(waitFor("[ -e /run/fault.reached ]", 60));
  }

  async go(): Promise<void> {
    await this.road.onHost(": >/run/fault.go");
  }

  /** Waits until no release runs on the host any more. */
  async quiet(): Promise<void> {
    const units = "systemctl list-units --all --plain --no-legend 'slipway-*-release-*'";
    await this.road.onHost(waitFor(`[ -z "$(${units})" ]`, 60));
  }

  /** What does not belong to the release that serves. */
  async leftovers(): Promise<string[]> {
    const { container } = await this.road.host();
    const listed = await dockerExec(container, ["bash", "-s", this.app], { input: script("leftovers.sh") });
    return listed.split("\n").filter(Boolean);
  }

  async cutSsh(): Promise<void> {
    const { directory, stack } = this.road;
    const { id } = await this.road.host();
    await cutSsh(
      openSandbox({ stack, sandboxDirectory: directory }, () => undefined),
      id,
    );
  }

  /** Kills the process in which the program runs, as hard as can be. */
  killProgram(): void {
    process.kill(Number(readFileSync(path.join(this.road.directory, "lock"), "utf8")), "SIGKILL");
  }

  async write(file: string, content: string): Promise<void> {
    const { container } = await this.road.host();
    await dockerExec(container, ["sh", "-c", `cat >${file}`], { input: content });
  }
}

function script(name: string): string {
  return readFileSync(path.join(__dirname, name), "utf8");
}

/** A shell line that waits for a condition, and fails when it does not come true. */
export function waitFor(condition: string, seconds: number): string {
  return `for _ in $(seq ${seconds * 20}); do ${condition} && exit 0; sleep 0.05; done; echo "waited ${seconds} s in vain" >&2; exit 1`;
}
