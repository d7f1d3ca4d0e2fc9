import { createRequire } from "node:module";
import { join } from "node:path";
import { runtime } from "@pulumi/pulumi";
import { readProject, readStackConfig, type ConfigMap } from "./config";
import { Engine } from "./engine";
import type { Changes, EngineEvent } from "./events";
import { lockSandbox } from "./lock";
import { runInSandbox } from "./mocks";
import { isMap, mapSecrets, stripSecrets, type PropertyMap, type PropertyValue } from "./properties";
import type { Provider } from "./resources/handler";
import { StackState } from "./state";

export type ProgramMode = "up" | "preview" | "destroy";

export interface ProgramOptions {
  readonly stack: string;
  readonly mode: ProgramMode;
  /** Where Pulumi.yaml is. */
  readonly programDirectory: string;
  /** Where the state of this stack is kept. */
  readonly sandboxDirectory: string;
  readonly overlays: readonly string[];
  readonly config?: ConfigMap;
  /** Gives secret outputs in the clear. @default false: `[secret]` stands in their place */
  readonly showSecrets?: boolean;
}

export interface ProgramResult {
  readonly ok: boolean;
  readonly outputs: Record<string, unknown>;
  readonly changes: Changes;
  /** The full message of what failed first. */
  readonly error?: string;
}

export interface ProgramContext {
  readonly provider: Provider;
  readonly onEvent: (event: EngineEvent) => void;
  /** What overlays mean by `${name}`. */
  readonly lookUp?: (name: string) => Promise<string>;
  /** Begins nothing new when it is aborted. */
  readonly signal?: AbortSignal;
}

/** Runs a stack in this process. Once per process: a program registers its resources when it is loaded. */
export async function runStack(options: ProgramOptions, context: ProgramContext): Promise<ProgramResult> {
  const { stack, mode, programDirectory, sandboxDirectory } = options;
  const release = lockSandbox(sandboxDirectory);
  try {
    const project = readProject(programDirectory);
    const state = StackState.load(sandboxDirectory, project.name, stack);
    const { provider, onEvent, signal } = context;
    const engine = new Engine({ state, provider, preview: mode === "preview", onEvent });
    signal?.addEventListener("abort", () => engine.interrupt(), { once: true });
    if (mode === "destroy") {
      return await finish(engine, () => engine.destroy().then(() => ({})), options);
    }
    const generate = (key: string, make: () => string) => state.generate(key, make);
    const config = await readStackConfig({ ...options, generate, lookUp: context.lookUp });
    for (const key of config.generated) {
      const line = `${key}: the secret of the real stack cannot be read here, a generated one is used`;
      onEvent({ kind: "log", source: "sandbox", line });
    }
    const { values, secretKeys } = config;
    const run = {
      engine,
      project: project.name,
      stack,
      preview: mode === "preview",
      config: values,
      secretKeys,
    };
    return await finish(
      engine,
      async () => {
        const outputs = await runInSandbox(run, () => load(project.entry, programDirectory));
        if (engine.failures.length === 0) await engine.finish();
        return outputs;
      },
      options,
    );
  } finally {
    release();
  }
}

async function finish(
  engine: Engine,
  work: () => Promise<PropertyMap>,
  options: ProgramOptions,
): Promise<ProgramResult> {
  const { changes, failures } = engine;
  // A failed resource rejects the outputs that hang on it, and with them promises that nobody waits for.
  const stray: unknown[] = [];
  const onStray = (error: unknown): void => void stray.push(error);
  process.on("unhandledRejection", onStray);
  try {
    const outputs = await work().catch((error: unknown) => {
      stray.push(error);
      return {};
    });
    await engine.idle();
    await new Promise((resolve) => setImmediate(resolve));
    const [failed] = failures;
    if (failed) return { ok: false, outputs: {}, changes, error: failureText(failed) };
    if (stray.length > 0) return { ok: false, outputs: {}, changes, error: textOf(stray[0]) };
    return { ok: true, outputs: presentable(outputs, options.showSecrets ?? false), changes };
  } finally {
    process.off("unhandledRejection", onStray);
  }
}

async function load(entry: string, programDirectory: string): Promise<unknown> {
  process.chdir(programDirectory);
  const exported = createRequire(join(programDirectory, "package.json"))(entry) as unknown;
  if (typeof exported === "function") return (exported as () => unknown)();
  if (typeof exported === "object" && exported !== null && "default" in exported) {
    throw new Error(
      `${entry}: Pulumi does not call a default export; write "export = async () => {…}" instead`,
    );
  }
  return Promise.resolve(exported);
}

function failureText({ name, type, message }: { name: string; type: string; message: string }): string {
  return `"${name}" [${type}]: ${message}`;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function presentable(outputs: PropertyMap, showSecrets: boolean): Record<string, unknown> {
  const shown = showSecrets ? stripSecrets(outputs) : mapSecrets(outputs, () => "[secret]");
  return replaceUnknown(shown) as Record<string, unknown>;
}

function replaceUnknown(value: PropertyValue): PropertyValue {
  if (value === runtime.unknownValue) return "[unknown]";
  if (Array.isArray(value)) return value.map(replaceUnknown);
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, replaceUnknown(inner)]));
}
