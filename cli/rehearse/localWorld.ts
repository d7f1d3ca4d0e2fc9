import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { stringify } from "yaml";
import type { Receipt } from "../../components/release/receipt";
import { writeReleaseFile } from "../../components/release/releaseFile";
import { dockerExec } from "../sandbox/bodies/docker";
import { ensureDocker } from "../sandbox/bodies/engine";
import { ensureImage } from "../sandbox/bodies/images";
import { ensureRegistry } from "../sandbox/bodies/registry";
import type { Sandbox } from "../sandbox/bodies/sandbox";
import { openSandbox } from "../sandbox/local";
import { type EngineEvent, type ProgramResult, runProgram } from "../sandbox/up";
import type { WorldArgs } from "./command";
import { AppImages } from "./images";
import type { LoadTarget } from "./load/plan";
import { describe, toFailure } from "./programWords";
import type { Watch } from "./watch";
import { type ImageSet, UpFailed, type UpResult, type Variant, type World } from "./world";

/** The world as it is: the stack's program against the sandbox on this machine. */
export class LocalWorld implements World {
  private readonly releasesFile: string;
  private readonly sandbox: Sandbox;
  private readonly images: AppImages;
  private readonly heard = new Set<string>();
  private log: (line: string) => void = () => undefined;

  constructor(private readonly args: WorldArgs) {
    this.releasesFile = path.join(args.directory, "releases.yaml");
    const stack = { stack: args.stack, sandboxDirectory: args.directory };
    this.sandbox = openSandbox(stack, (line) => this.log(line));
    this.images = new AppImages(this.sandbox, args.description);
  }

  async prepare(watch: Watch): Promise<boolean> {
    this.log = watch.log;
    await watch.measure("docker", () => ensureDocker(watch.log));
    const anew = (await this.sandbox.find("registry")) === undefined;
    await watch.measure("base image", () => ensureImage("base", watch.log));
    await Promise.all([
      watch.measure("droplet image", () => ensureImage("droplet", watch.log)),
      watch
        .measure("services image", () => ensureImage("services", watch.log))
        .then(() => watch.measure("registry", () => ensureRegistry(this.sandbox))),
    ]);
    return anew;
  }

  async build(variant: Variant, watch: Watch): Promise<void> {
    await ensureDocker(watch.log);
    await this.images.build(variant, watch.log);
  }

  push(variant: Variant): Promise<ImageSet> {
    return this.images.push(variant);
  }

  async setRelease(release: number, images: ImageSet): Promise<void> {
    mkdirSync(this.args.directory, { recursive: true, mode: 0o700 });
    await writeReleaseFile(this.releasesFile, { release, images });
  }

  async up(watch: Watch): Promise<UpResult> {
    const said: string[] = [];
    const { server, username, password } = await ensureRegistry(this.sandbox);
    const result = await runProgram({
      stack: this.args.stack,
      mode: "up",
      programDirectory: this.args.project,
      sandboxDirectory: this.args.directory,
      overlay: this.overlay(),
      config: {
        "slipway:releasesFile": this.releasesFile,
        "slipway:registry": { server, username, password: { secret: password } },
      },
      signal: watch.signal,
      onEvent: (event) => this.hear(event, said, watch),
    });
    if (!result.ok) throw toFailure(result, said);
    const { created, updated, replaced, deleted, unchanged } = result.changes;
    return {
      changed: created + updated + replaced + deleted,
      unchanged,
      target: this.target(result.outputs),
      seconds: (result.outputs["receipt"] as Receipt | undefined)?.seconds,
    };
  }

  async containersOnHost(): Promise<readonly string[]> {
    const format = "{{.ID}} {{.Names}} {{.Image}}";
    const droplets = await this.sandbox.members("droplet");
    const listed = await Promise.all(
      droplets.map(({ container }) =>
        dockerExec(container, ["docker", "ps", "--all", "--no-trunc", "--format", format]),
      ),
    );
    return listed.flatMap((text) => text.split("\n").filter(Boolean));
  }

  private target({ url, address }: ProgramResult["outputs"]): LoadTarget {
    if (typeof url !== "string" || typeof address !== "string") {
      throw new UpFailed("the program does not say where the app answers", {
        cure: "export `url` and `address`, as infra/index.ts does",
      });
    }
    // Names lead to the sandbox only inside of it, and only its own authority vouches for them.
    const ca = path.join(this.args.directory, "acme-ca.crt");
    return { url, address, ...(url.startsWith("https:") ? { ca: readFileSync(ca, "utf8") } : {}) };
  }

  private hear(event: EngineEvent, said: string[], watch: Watch): void {
    if (event.kind === "resource" && event.seconds >= 1) watch.note(event.name, event.seconds);
    if (event.kind === "log" && event.source !== "resource") {
      said.push(event.line);
      // The program says the same things at every run.
      if (this.heard.has(event.line)) return;
      this.heard.add(event.line);
    }
    const line = describe(event);
    if (line !== undefined) watch.log(line);
  }

  /** An app named by its directory takes the place of the stack's own, key by key: nothing of those may be left. */
  private overlay(): readonly string[] {
    const given = this.args.overlay ?? [];
    const { directory, config } = this.args.description;
    const ofApp = Object.fromEntries(Object.entries(config).map(([key, value]) => [`slipway:${key}`, value]));
    const files = [
      ...(this.args.otherApp
        ? [
            { name: "without-app.yaml", config: { "slipway:app": null, "slipway:apps": null } },
            { name: "app.yaml", config: { "slipway:app": { directory } } },
          ]
        : []),
      ...(Object.keys(ofApp).length === 0 ? [] : [{ name: "rehearse-config.yaml", config: ofApp }]),
    ];
    const own = files.map(({ name, config }) => {
      const file = path.join(this.args.directory, name);
      writeFileSync(file, stringify({ config }), { mode: 0o600 });
      return file;
    });
    return [...own, ...given];
  }
}
