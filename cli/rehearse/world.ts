import type { LoadTarget } from "./load/plan";
import type { Watch } from "./watch";

/** The three builds of the app that the rehearsal ships. */
export const variants = ["release-1", "release-2", "broken"] as const;
export type Variant = (typeof variants)[number];

/** `name -> server/repository@sha256:…`, as in a release file. */
export type ImageSet = Readonly<Record<string, string>>;

/** What one run of the stack's program did. */
export interface UpResult {
  /** Resources that were created, updated, replaced or deleted. */
  readonly changed: number;
  readonly unchanged: number;
  /** Where the app answers, or will. */
  readonly target: LoadTarget;
  /** Seconds for each step of the release on the host, when one was shipped. */
  readonly seconds?: Readonly<Record<string, number>>;
}

/** A run of the program that failed, with what is known of the cause. */
export class UpFailed extends Error {
  constructor(
    message: string,
    readonly details: {
      /** Stable name of the cause on the host, such as `gate-refused`. */
      readonly code?: string;
      readonly cure?: string;
      /** Seconds for each step of the release on the host. */
      readonly seconds?: Readonly<Record<string, number>>;
      /** The right log: of the app, of the host, or of the program. */
      readonly log?: { readonly title: string; readonly text: string };
    } = {},
  ) {
    super(message);
    this.name = "UpFailed";
  }
}

/** All that the rehearsal does to the world outside of this process, apart from its load. */
export interface World {
  /**
   * Makes Docker, the images of the sandbox and its registry ready. True when the registry is a new one: then nothing
   * is left of what an earlier run has pushed and shipped.
   */
  prepare(watch: Watch): Promise<boolean>;
  /** Builds the images of one variant in the local Docker. */
  build(variant: Variant, watch: Watch): Promise<void>;
  /** Pushes what was built; needs `prepare`. */
  push(variant: Variant, watch: Watch): Promise<ImageSet>;
  /** What the stack shall run from the next `up` on. */
  setRelease(release: number, images: ImageSet): Promise<void>;
  /** Runs the stack's program. @throws UpFailed */
  up(watch: Watch): Promise<UpResult>;
  /** The containers on the host, running or not: one line each, with id, name and image. */
  containersOnHost(): Promise<readonly string[]>;
}
