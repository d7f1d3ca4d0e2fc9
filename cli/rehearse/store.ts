import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import type { KeptFile, LoadTarget } from "./load/plan";
import type { ImageSet, Variant } from "./world";

/** What later steps have to know of earlier ones, also when each is run on its own with `--only`. */
export interface Progress {
  /** Directory of the app that this sandbox was made for. */
  readonly app: string;
  readonly target?: LoadTarget;
  readonly images: Partial<Record<Variant, ImageSet>>;
  /** Number of the last release that was tried, refused ones included. */
  readonly lastRelease: number;
  /** Number of the release that serves. */
  readonly serving: number | null;
  /** Static files and uploads of the first release: they have to answer until the end. */
  readonly files: readonly KeptFile[];
}

/** Keeps the progress of one sandbox in `.sandbox/<stack>/rehearsal.json`. Holds no secret. */
export class ProgressStore {
  private constructor(
    private readonly file: string,
    private current: Progress,
  ) {}

  /** Starts anew when the sandbox has no progress yet. */
  static load(directory: string, app: string): ProgressStore {
    const file = path.join(directory, "rehearsal.json");
    try {
      return new ProgressStore(file, JSON.parse(readFileSync(file, "utf8")) as Progress);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      return new ProgressStore(file, nothingYet(app));
    }
  }

  get progress(): Progress {
    return this.current;
  }

  /** The sandbox of this progress is gone: starts anew. */
  forget(): void {
    if (this.current.lastRelease === 0 && Object.keys(this.current.images).length === 0) return;
    this.current = nothingYet(this.current.app);
    this.update({});
  }

  update(changes: Partial<Progress>): void {
    this.current = { ...this.current, ...changes };
    mkdirSync(path.dirname(this.file), { recursive: true, mode: 0o700 });
    const temporary = `${this.file}.${process.pid}`;
    writeFileSync(temporary, `${JSON.stringify(this.current, null, 2)}\n`, { mode: 0o600 });
    renameSync(temporary, this.file);
  }
}

function nothingYet(app: string): Progress {
  return { app, images: {}, lastRelease: 0, serving: null, files: [] };
}
