import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { parse } from "yaml";
import { answers, calls } from "./cloud";
import { record, recordFailure, type RecordOptions, type Recording } from "./recorder";

type Config = Record<string, unknown>;

/** How a stack is run in a test. */
export interface StackRun {
  readonly stack: "staging" | "production";
  /** Keys over those of the stack's own file; `undefined` takes one away. */
  readonly config?: Config;
  readonly secretKeys?: readonly string[];
  /** The content of its release file. @default release 1 of two images */
  readonly release?: object;
  readonly preview?: boolean;
}

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
export const shipped = {
  release: 1,
  images: { web: `r.example/shop@${digest("a")}`, nginx: `r.example/nginx@${digest("b")}` },
};

async function withOptions<T>(run: StackRun, use: (options: RecordOptions) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(path.join(tmpdir(), "stack-test-"));
  try {
    const releasesFile = path.join(directory, "release.yaml");
    writeFileSync(releasesFile, JSON.stringify(run.release ?? shipped));
    const own = parse(readFileSync(`Pulumi.${run.stack}.yaml`, "utf8")) as { config: Config };
    const merged = { ...own.config, "slipway:releasesFile": releasesFile, ...run.config };
    const config = Object.fromEntries(
      Object.entries(merged)
        .filter(([, value]) => value !== undefined)
        .map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]),
    );
    return await use({
      answers,
      calls,
      config,
      stack: run.stack,
      secretKeys: run.secretKeys,
      preview: run.preview,
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Runs the program of this repository as one of its stacks. */
export function runStack(
  program: () => Promise<object>,
  run: StackRun,
): Promise<Recording<Record<string, unknown>>> {
  return withOptions(run, (options) => record(() => program() as Promise<Record<string, unknown>>, options));
}

/** The same for a stack that is to fail. */
export function failStack(program: () => Promise<object>, run: StackRun) {
  return withOptions(run, (options) => recordFailure(program, options));
}
