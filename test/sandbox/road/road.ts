// The rehearsed road, opened for tests: the same world and load client that `slipway rehearse` uses, with secrets that
// nobody would like to type, and a way onto the host. Every Road has a sandbox of its own.
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { stringify } from "yaml";
import { readDescription, type AppDescription } from "../../../cli/rehearse/description";
import { startLoad, type RunningLoad } from "../../../cli/rehearse/load/load";
import { LocalWorld } from "../../../cli/rehearse/localWorld";
import { removeSandbox } from "../../../cli/rehearse/removal";
import { ship, type Shipped } from "../../../cli/rehearse/ship";
import { ProgressStore } from "../../../cli/rehearse/store";
import { TimeBook, type Watch } from "../../../cli/rehearse/watch";
import { variants, type ImageSet, type UpResult, type Variant } from "../../../cli/rehearse/world";
import { dockerExec } from "../../../cli/sandbox/bodies/docker";
import { openSandbox } from "../../../cli/sandbox/local";

const project = path.resolve(__dirname, "../../..");

/** Directory of a small app that is there for tests. */
export function fixtureApp(name: string): string {
  return path.join(project, "test/fixtures/apps", name);
}

/** The part of the odd secret that no encoding changes, and that stands nowhere else. */
export const needle = "zq7Mark9x";

/** Every character that has ever broken a .env file. */
export const oddSecret = `zq7Mark9x @ od@d $HOME \${X} # it's "quoted" 100% \\n back\\slash \\`;

export interface RoadArgs {
  /** Name of the sandbox's directory. @default the stack's own, which `slipway rehearse` uses as well */
  readonly name?: string;
  /** Directory of the app, with a slipway.yaml. @default the example */
  readonly app?: string;
  /** Configuration under everything that a test lays over it. @default none */
  readonly config?: Readonly<Record<string, unknown>>;
}

export class Road {
  readonly stack = "staging";
  readonly watch: Watch = new TimeBook().watch("test", new AbortController().signal, () => undefined);
  readonly description: AppDescription;
  readonly directory: string;

  constructor(private readonly args: RoadArgs = {}) {
    this.directory = path.join(project, ".sandbox", args.name ?? this.stack);
    this.description = readDescription(args.app ?? path.join(project, "examples/django-docker"));
  }

  /** Makes host and database, and builds and pushes the images: all that comes before the first release. */
  async provision(wanted: readonly Variant[] = variants): Promise<void> {
    const world = this.world();
    await world.prepare(this.watch);
    const images: Partial<Record<Variant, ImageSet>> = {};
    for (const variant of wanted) {
      await world.build(variant, this.watch);
      images[variant] = await world.push(variant);
    }
    await world.setRelease(0, {});
    const { target } = await world.up(this.watch);
    this.store.update({ target, images });
  }

  /** Removes the whole sandbox and the images of its app. */
  async remove(): Promise<void> {
    await removeSandbox({ stack: this.stack, directory: this.directory, images: true });
  }

  /** Read afresh: the command writes it too. */
  get store(): ProgressStore {
    return ProgressStore.load(this.directory, this.description.directory);
  }

  /** The world with `config` laid over the stack's own. */
  world(config: Readonly<Record<string, unknown>> = {}): LocalWorld {
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    const overlay = path.join(this.directory, "test-overlay.yaml");
    const secrets = { ODD_SECRET: { secret: oddSecret } };
    const layers = { "slipway:secrets": secrets, ...this.args.config, ...config };
    writeFileSync(overlay, stringify({ config: layers }), { mode: 0o600 });
    return new LocalWorld({
      project,
      stack: this.stack,
      directory: this.directory,
      description: this.description,
      otherApp: this.args.app !== undefined,
      overlay: [overlay],
    });
  }

  get images(): Readonly<Record<Variant, ImageSet>> {
    const { images } = this.store.progress;
    if (images["release-1"] === undefined) throw new Error("the images have to be built first");
    return images as Record<Variant, ImageSet>;
  }

  /** Ships the images as the next release, under load. */
  ship(images: ImageSet, { requestsPerSecond = 180 } = {}): Promise<Shipped> {
    const args = {
      images,
      requestsPerSecond,
      minRequests: 0,
      name: "release-2",
      expected: "serves",
    } as const;
    return ship(
      { world: this.world(), store: this.store, description: this.description, watch: this.watch },
      args,
    );
  }

  /** The load of the rehearsal, for as many releases from now on. */
  startLoad({
    releases,
    requestsPerSecond = 180,
  }: {
    releases: number;
    requestsPerSecond?: number;
  }): Promise<RunningLoad> {
    const { target, serving, lastRelease } = this.store.progress;
    if (!target) throw new Error("the rehearsal has to provision first");
    const { get, slow, upload } = this.description.requests;
    const releasesSeen = { from: serving, to: lastRelease + releases, expected: "serves" } as const;
    return startLoad({ target, pages: get, slow, upload, requestsPerSecond, ...releasesSeen });
  }

  /** Runs the program with the next release number, without load. */
  async up(images: ImageSet, config: Readonly<Record<string, unknown>> = {}): Promise<UpResult> {
    const world = this.world(config);
    const release = this.store.progress.lastRelease + 1;
    await world.setRelease(release, images);
    this.store.update({ lastRelease: release });
    const result = await world.up(this.watch);
    this.store.update({ serving: release });
    return result;
  }

  /** Runs the program again with nothing new but `config`. */
  again(config: Readonly<Record<string, unknown>>): Promise<UpResult> {
    return this.world(config).up(this.watch);
  }

  async host(): Promise<{ readonly container: string; readonly id: string }> {
    const { sandboxDirectory, stack } = { sandboxDirectory: this.directory, stack: this.stack };
    const [droplet, ...others] = await openSandbox({ stack, sandboxDirectory }, () => undefined).members(
      "droplet",
    );
    if (droplet === undefined || others.length > 0)
      throw new Error(`${others.length + 1} droplets, expected one`);
    return droplet;
  }

  /** Runs a shell line on the host as root, or as another user. */
  async onHost(line: string, user = "root"): Promise<string> {
    const { container } = await this.host();
    const argv = user === "root" ? ["bash", "-c", line] : ["runuser", "-u", user, "--", "bash", "-c", line];
    return (await dockerExec(container, argv)).trim();
  }

  /** Runs a management command in the container that serves. */
  manage(line: string, service = "web"): Promise<string> {
    const serving = `docker ps --quiet --filter label=com.docker.compose.service=${service}`;
    return this.onHost(`docker exec $(${serving}) python manage.py ${line}`);
  }

  /** The receipts on the host, oldest first. */
  async receipts(): Promise<readonly Record<string, unknown>[]> {
    const lines = await this.onHost("cat /var/lib/slipway/*/receipts.jsonl");
    return lines.split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  url(page: string): string {
    const { target } = this.store.progress;
    if (!target) throw new Error("the rehearsal has to provision first");
    return `${target.url}${page}`;
  }
}

export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
