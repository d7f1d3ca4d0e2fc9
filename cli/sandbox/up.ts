import { fork, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import type { ConfigMap } from "./config";
import { readProject } from "./config";
import { noChanges, type EngineEvent } from "./events";
import type { ProgramMode, ProgramOptions, ProgramResult } from "./program";
import { mapSecrets, stripSecrets } from "./properties";
import { StackState } from "./state";

export type { Changes, EngineEvent, ResourceAction } from "./events";
export type { ProgramMode, ProgramResult } from "./program";

/** What the child says: an event, its result, or why it could not even begin. */
export type ChildMessage =
  { readonly event: EngineEvent } | { readonly result: ProgramResult } | { readonly error: string };

export type ChildOrder =
  { readonly kind: "run"; readonly options: ProgramOptions } | { readonly kind: "interrupt" };

export interface RunProgramOptions {
  readonly stack: string;
  readonly mode: ProgramMode;
  /** Files that are laid over the stack's configuration, after the sandbox's own `overlay.yaml`. */
  readonly overlay?: string | readonly string[];
  /** Configuration over that of all files; secrets as `{secret: "…"}`. Never on a command line or in a file. */
  readonly config?: ConfigMap;
  readonly onEvent?: (event: EngineEvent) => void;
  /** Where Pulumi.yaml is. @default the root of this repository */
  readonly programDirectory?: string;
  /** Where state is kept. @default `<programDirectory>/.sandbox/<stack>` */
  readonly sandboxDirectory?: string;
  /** Gives secret outputs in the clear. @default false: `[secret]` stands in their place */
  readonly showSecrets?: boolean;
  /** Lets what is under way end, begins nothing new, and keeps the state. */
  readonly signal?: AbortSignal;
}

const repository = resolve(__dirname, "../..");

/**
 * Runs the Pulumi program of a stack against the bodies of the sandbox, in a process of its own. Never rejects because
 * a resource failed: the result says so, with the first failure's full message.
 */
export async function runProgram(options: RunProgramOptions): Promise<ProgramResult> {
  const { stack, mode, config, showSecrets, onEvent, signal } = options;
  const programDirectory = resolve(options.programDirectory ?? repository);
  const overlay = options.overlay ?? [];
  const order: ProgramOptions = {
    stack,
    mode,
    programDirectory,
    sandboxDirectory: sandboxDirectory(options),
    overlays: [join(__dirname, "overlay.yaml"), ...(typeof overlay === "string" ? [overlay] : overlay)],
    config,
    showSecrets,
  };
  const child = fork(join(__dirname, "child.ts"), {
    cwd: programDirectory,
    execArgv: ["--require", require.resolve("tsx/cjs")],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  // Not a signal: a Ctrl-C in a terminal reaches the child as well, and a second one means "at once".
  const interrupt = (): void => void (child.connected && send(child, { kind: "interrupt" }));
  signal?.addEventListener("abort", interrupt, { once: true });
  try {
    return await conversation(child, order, onEvent ?? (() => undefined));
  } finally {
    signal?.removeEventListener("abort", interrupt);
  }
}

function conversation(
  child: ChildProcess,
  order: ProgramOptions,
  onEvent: (event: EngineEvent) => void,
): Promise<ProgramResult> {
  return new Promise((settle, reject) => {
    let result: ProgramResult | undefined;
    const lastLines: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on("line", (line) => {
        lastLines.push(line.length > 300 ? `${line.slice(0, 300)}…` : line);
        if (lastLines.length > 20) lastLines.shift();
        onEvent({ kind: "log", source: "program", line });
      });
    }
    child.on("message", (message: ChildMessage) => {
      if ("event" in message) onEvent(message.event);
      else if ("result" in message) result = message.result;
      else result = { ok: false, outputs: {}, changes: noChanges(), error: message.error };
    });
    child.once("error", reject);
    child.once("close", (code, killedBy) => {
      const ended = `the program's process ended with ${killedBy ?? `code ${code}`} and said nothing`;
      const error = [ended, ...lastLines].join("\n");
      settle(result ?? { ok: false, outputs: {}, changes: noChanges(), error });
    });
    send(child, { kind: "run", options: order });
  });
}

function send(child: ChildProcess, order: ChildOrder): void {
  child.send(order);
}

function sandboxDirectory(
  options: Pick<RunProgramOptions, "stack" | "programDirectory" | "sandboxDirectory">,
): string {
  const programDirectory = resolve(options.programDirectory ?? repository);
  return resolve(options.sandboxDirectory ?? join(programDirectory, ".sandbox", options.stack));
}

export interface ResourceView {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  readonly id: string;
  /** Secret values are `[secret]`, unless asked for. */
  readonly inputs: Record<string, unknown>;
  readonly outputs: Record<string, unknown>;
}

/** What stands in the sandbox for a stack, as the last run left it. */
export function listResources(
  options: Pick<RunProgramOptions, "stack" | "programDirectory" | "sandboxDirectory" | "showSecrets">,
): ResourceView[] {
  const programDirectory = resolve(options.programDirectory ?? repository);
  const project = readProject(programDirectory).name;
  const directory = sandboxDirectory(options);
  if (!existsSync(join(directory, "state.json"))) return [];
  const state = StackState.load(directory, project, options.stack);
  const show = options.showSecrets ? stripSecrets : (value: never) => mapSecrets(value, () => "[secret]");
  return state.resources.map(({ urn, type, name, id, inputs, outputs }) => ({
    ...{ urn, type, name, id },
    inputs: show(inputs as never) as Record<string, unknown>,
    outputs: show(outputs as never) as Record<string, unknown>,
  }));
}

/** The outputs of a stack's last run in the sandbox, secrets in the clear. Undefined when nothing stands there. */
export function stackOutputs(
  options: Pick<RunProgramOptions, "stack" | "programDirectory" | "sandboxDirectory">,
): Record<string, unknown> | undefined {
  const project = readProject(resolve(options.programDirectory ?? repository)).name;
  const directory = sandboxDirectory(options);
  if (!existsSync(join(directory, "state.json"))) return undefined;
  return stripSecrets(StackState.load(directory, project, options.stack).outputs) as Record<string, unknown>;
}
