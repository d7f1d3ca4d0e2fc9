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
    signal?.addEventListener("abort", () => engine.operations.interrupt(), { once: true });
    if (mode === "destroy") {
      return await finish({ engine, state }, () => engine.destroy().then(() => ({})), options);
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
      { engine, state },
      async () => {
        const outputs = await runInSandbox(run, () => load(project.entry, programDirectory));
        // An error inside an apply is known one turn of the event loop later.
        await new Promise((resolve) => setImmediate(resolve));
        engine.operations.refuseWhenHalted();
        await engine.finish();
        return outputs;
      },
      options,
    );
  } finally {
    release();
  }
}

async function finish(
  { engine, state }: { readonly engine: Engine; readonly state: StackState },
  work: () => Promise<PropertyMap>,
  options: ProgramOptions,
): Promise<ProgramResult> {
  const { changes, operations } = engine;
  const errors: unknown[] = [];
  // The SDK leaves what depends on a failed resource pending for ever: the real host ends its process at the first
  // rejection that nobody handles. Here what is under way may end first, so that the state knows of it.
  const onStray = (error: unknown): void => {
    errors.push(error);
    operations.stop();
  };
  // Never taken back: they may still come when the result is there.
  process.on("unhandledRejection", onStray);
  const worked = work().catch((error: unknown) => {
    errors.push(error);
    return {};
  });
  const outputs = await Promise.race([worked, operations.halted.then(() => ({}))]);
  await operations.idle();
  await new Promise((resolve) => setImmediate(resolve));
  const [failed] = operations.failures;
  if (failed) return { ok: false, outputs: {}, changes, error: failureText(failed) };
  if (errors.length > 0) return { ok: false, outputs: {}, changes, error: textOf(errors[0]) };
  if (operations.interrupted) return { ok: false, outputs: {}, changes, error: "interrupted" };
  if (options.mode !== "preview") state.keepOutputs(outputs);
  return { ok: true, outputs: presentable(outputs, options.showSecrets ?? false), changes };
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
