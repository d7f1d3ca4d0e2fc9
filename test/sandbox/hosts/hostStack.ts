// A stack whose host is worked on: the program is run with changes of configuration that add up, and what it did to
// each resource is told.
import path from "node:path";
import type { ImageSet, Variant } from "../../../cli/rehearse/world";
import type { Member } from "../../../cli/sandbox/bodies/containers";
import { dockerExec } from "../../../cli/sandbox/bodies/docker";
import { ensureRegistry } from "../../../cli/sandbox/bodies/registry";
import type { Sandbox } from "../../../cli/sandbox/bodies/sandbox";
import { openSandbox } from "../../../cli/sandbox/local";
import { listResources, runProgram, type EngineEvent } from "../../../cli/sandbox/up";
import { fixtureApp, Road } from "../road/road";

type Config = Record<string, unknown>;

/** What one run of the program did. */
export interface Run {
  /** Every event, in order. */
  readonly events: readonly EngineEvent[];
  /** `replaced host`, `deleted host-2`: everything that was taken away or made anew, components left out. */
  readonly lost: readonly string[];
  readonly outputs: Readonly<Record<string, unknown>>;
}

export class HostStack {
  readonly road: Road;
  readonly sandbox: Sandbox;
  private config: Config;

  constructor(name: string, config: Config = {}) {
    this.config = config;
    this.road = new Road({ name, app: fixtureApp("notes"), config });
    this.sandbox = openSandbox(
      { stack: this.road.stack, sandboxDirectory: this.road.directory },
      () => undefined,
    );
  }

  /** Host, database and images, and release 1. */
  async begin(variants: readonly Variant[]): Promise<void> {
    await this.road.provision(variants);
    await this.release("release-1");
  }

  /** Writes the next release number, and runs the program. */
  release(variant: Variant): Promise<Run> {
    return this.releaseImages(this.road.images[variant]);
  }

  /** The same with images of the test's own. */
  async releaseImages(images: ImageSet): Promise<Run> {
    const { store } = this.road;
    const release = store.progress.lastRelease + 1;
    await this.road.world(this.config).setRelease(release, images);
    store.update({ lastRelease: release });
    const run = await this.up();
    store.update({ serving: release });
    return run;
  }

  /** Runs the program with these keys over those that were set before. */
  async up(change: Config = {}): Promise<Run> {
    this.config = merge(this.config, change);
    const { server, username, password } = await ensureRegistry(this.sandbox);
    const events: EngineEvent[] = [];
    const inDirectory = (file: string): string => path.join(this.road.directory, file);
    const result = await runProgram({
      stack: this.road.stack,
      mode: "up",
      sandboxDirectory: this.road.directory,
      overlay: [inDirectory("without-app.yaml"), inDirectory("app.yaml")],
      config: merge(
        {
          "slipway:releasesFile": inDirectory("releases.yaml"),
          "slipway:registry": { server, username, password: { secret: password } },
        },
        this.config,
      ) as Parameters<typeof runProgram>[0]["config"],
      onEvent: (event) => events.push(event),
    });
    if (!result.ok) throw new Error(result.error);
    const lost = events.flatMap((event) =>
      event.kind === "resource" &&
      (event.action === "replaced" || event.action === "deleted") &&
      event.reason !== "was replaced"
        ? [`${event.action} ${event.name}`]
        : [],
    );
    return { events, lost: [...new Set(lost)].sort(), outputs: result.outputs };
  }

  /** An output of a resource that stands, secrets in the clear. */
  output(name: string, key: string): string {
    const found = listResources({
      stack: this.road.stack,
      sandboxDirectory: this.road.directory,
      showSecrets: true,
    }).find((resource) => resource.name === name && key in resource.outputs);
    if (found === undefined) throw new Error(`nothing is called ${name} and has ${key}`);
    return String(found.outputs[key]);
  }

  /** The value that a key has by the changes so far. */
  current(key: string): unknown {
    return this.config[key];
  }

  droplets(): Promise<Member[]> {
    return this.sandbox.members("droplet");
  }

  async inRegistry(line: string, input = ""): Promise<string> {
    return dockerExec(this.sandbox.containerName("registry"), ["bash", "-c", line], { input });
  }

  remove(): Promise<void> {
    return this.road.remove();
  }
}

function merge(lower: Config, upper: Config): Config {
  const isMap = (value: unknown): value is Config =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  const merged = { ...lower };
  for (const [key, value] of Object.entries(upper)) {
    const below = merged[key];
    merged[key] = isMap(below) && isMap(value) ? merge(below, value) : value;
  }
  return merged;
}
