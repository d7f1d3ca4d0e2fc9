import type { Watch } from "../../../cli/rehearse/watch";
import {
  type ImageSet,
  UpFailed,
  type UpResult,
  type Variant,
  type World,
} from "../../../cli/rehearse/world";
import type { LoadServer } from "./loadServer";

/** What a test may let go wrong. */
export interface Mischief {
  /** `up` fails before there is a host. */
  provision?: UpFailed;
  /** The registry never comes up. */
  prepare?: Error;
  build?: Error;
  /** The release with this number is refused, though it should serve. */
  refuse?: { release: number; failure: UpFailed };
  /** The broken release is let through. */
  gateSleeps?: boolean;
  /** The broken release leaves a container behind. */
  leftover?: boolean;
  /** Requests fail while a release is switched. */
  drops?: boolean;
  /** The style sheet of release 1 is gone once 2 serves. */
  losesAssets?: boolean;
  /** What was uploaded to release 1 is gone once 2 serves. */
  losesUploads?: boolean;
}

export const digest = (variant: string, image: string): string =>
  `registry.test:5000/shop/${image}@sha256:${Buffer.from(variant + image)
    .toString("hex")
    .padEnd(64, "0")
    .slice(0, 64)}`;

/** A sandbox that is a small HTTP server: the steps, the load and the books around it are the real ones. */
export class FakeWorld implements World {
  readonly calls: string[] = [];
  release = { number: 0, images: {} as ImageSet };
  private provisioned = false;
  private served = 0;

  constructor(
    readonly server: LoadServer,
    readonly mischief: Mischief = {},
  ) {}

  /** Whether the next run finds a registry that knows nothing. */
  anew = true;

  prepare(): Promise<boolean> {
    this.calls.push("prepare");
    if (this.mischief.prepare) return Promise.reject(this.mischief.prepare);
    const { anew } = this;
    this.anew = false;
    return Promise.resolve(anew);
  }

  build(variant: Variant): Promise<void> {
    this.calls.push(`build ${variant}`);
    return this.mischief.build ? Promise.reject(this.mischief.build) : Promise.resolve();
  }

  push(variant: Variant): Promise<ImageSet> {
    this.calls.push(`push ${variant}`);
    return Promise.resolve({ web: digest(variant, "web"), nginx: digest("any", "nginx") });
  }

  setRelease(number: number, images: ImageSet): Promise<void> {
    this.release = { number, images };
    return Promise.resolve();
  }

  async up(watch: Watch): Promise<UpResult> {
    const { number, images } = this.release;
    this.calls.push(`up ${number}`);
    const { provision, refuse, gateSleeps, drops, losesAssets, losesUploads } = this.mischief;
    if (provision) throw provision;
    const changed = (this.provisioned ? 0 : 7) + (number === this.served ? 0 : 1);
    this.provisioned = true;
    if (number > 0 && number !== this.served) {
      watch.log(`shipping ${number}`);
      if (refuse?.release === number) throw refuse.failure;
      if (images["web"] === digest("broken", "web") && !gateSleeps) {
        const details = {
          code: "gate-refused",
          cure: "read the app's log below",
          log: { title: "log", text: "500" },
        };
        throw new UpFailed("the new release answers 500 at /healthz", details);
      }
      if (drops) this.server.failing = true;
      await new Promise((resolve) => setTimeout(resolve, 100));
      this.server.failing = false;
      this.server.release = number;
      this.served = number;
      if (losesAssets && number > 1) this.server.forget("/static/");
      if (losesUploads && number > 1) this.server.forget("/media/");
    }
    return { changed, unchanged: 8 - changed, target: { url: this.server.url }, seconds: { gate: 1.1 } };
  }

  containersOnHost(): Promise<string[]> {
    const nginx = digest("any", "nginx");
    const serving = [`a1 shop-web ${digest("release-2", "web")}`, `a2 shop-nginx ${nginx}`];
    const left = this.mischief.leftover && this.calls.includes("up 3") ? [`b2 shop-nginx-2 ${nginx}`] : [];
    return Promise.resolve([...serving, ...left]);
  }

  remove({ images }: { readonly images: boolean }): Promise<string[]> {
    this.calls.push(images ? "down with images" : "down");
    return Promise.resolve(images ? ["the images slipway-sandbox/*, a cache for the next rehearsal"] : []);
  }
}
