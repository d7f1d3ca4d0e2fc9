import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { stringify } from "yaml";
import { describeError, exitCodes, usageError } from "../errors";
import { findProject, stackConfigPath } from "../project";
import { chooseApp } from "./chosenApp";
import { readDescription } from "./description";
import type { Progress } from "./progress";
import { interrupted, Rehearsal, type RehearsalRun } from "./rehearsal";
import type { Removal } from "./removal";
import { type StepName, stepNames, toJson } from "./results";
import type { LoadSizes } from "./steps";
import { ProgressStore } from "./store";
import { summary } from "./summary";
import { secondsSince, type Watch } from "./watch";
import type { World } from "./world";

export interface RehearseOptions {
  readonly stack: string;
  readonly app?: string;
  readonly keep: boolean;
  readonly down: boolean;
  readonly only?: StepName;
  readonly json: boolean;
}

export interface WorldArgs {
  readonly project: string;
  readonly stack: string;
  /** `.sandbox/<stack>` of the project. */
  readonly directory: string;
  readonly description: ReturnType<typeof readDescription>;
  /** Whether the app was named by its directory, so that the stack's own apps are not to be used. */
  readonly otherApp: boolean;
  /** Files laid over the stack's configuration. @default none */
  readonly overlay?: readonly string[];
}

/** What the rehearsal is run with: tests give their own. */
export interface RehearseParts {
  readonly makeWorld: (args: WorldArgs) => World;
  readonly remove: (removal: Removal) => Promise<readonly string[]>;
  readonly progress: Progress;
  /** Where the command is run. */
  readonly directory: string;
  /** @default as much as two cores carry */
  readonly load?: LoadSizes;
}

/** Runs `slipway rehearse` and returns the exit code. */
export async function rehearse(options: RehearseOptions, parts: RehearseParts): Promise<number> {
  const project = findProject(parts.directory);
  stackConfigPath(project, options.stack);
  const directory = path.join(project, ".sandbox", options.stack);
  if (options.down) return takeDown(options, directory, parts);

  const { appDirectory, inline, otherApp, layers } = chooseApp(project, options);
  const description = readDescription(appDirectory, inline);
  const overlay = writeLayers(directory, layers);
  const world = parts.makeWorld({ stack: options.stack, project, directory, description, otherApp, overlay });
  const store = ProgressStore.load(directory, appDirectory);
  refuseOtherApp(store, appDirectory, options);
  // Beside the sandbox's own directory: it is still there when that one is removed.
  const logFile = `${directory}.log`;
  const prepare = async (watch: Watch): Promise<void> => {
    if (await world.prepare(watch)) store.forget();
  };
  const interrupt = new AbortController();
  const release = onInterrupt(interrupt, options);
  try {
    const rehearsal = new Rehearsal(
      { world, store, description, prepare: once(prepare), load: parts.load },
      {
        steps: options.only ? [options.only] : stepNames,
        progress: parts.progress,
        interrupt: interrupt.signal,
        log: logTo(logFile),
      },
    );
    const run = await rehearsal.run();
    return await conclude(run, { options, store, logFile, directory, remove: parts.remove });
  } finally {
    release();
  }
}

interface Ending {
  readonly options: RehearseOptions;
  readonly store: ProgressStore;
  readonly logFile: string;
  readonly directory: string;
  readonly remove: RehearseParts["remove"];
}

/** Removes the sandbox or says where it is, then tells what was found out. Returns the exit code. */
async function conclude({ result, error }: RehearsalRun, ending: Ending): Promise<number> {
  const { options, store, logFile } = ending;
  const keep = options.keep || options.only !== undefined;
  const { serving, target } = store.progress;
  const urls = keep && serving !== null && target ? [target.url] : [];
  const started = Date.now();
  const farewell = keep
    ? [
        ...urls.map((url) => `The app answers at ${url}`),
        `The sandbox is kept. Remove it with: ${downCommand(options)}`,
      ]
    : await removeAtTheEnd(ending);
  const removal = keep ? [] : [{ step: "removal", part: "removal", seconds: secondsSince(started) }];
  const complete = { ...result, urls, spans: [...result.spans, ...removal] };

  console.log(`\n${summary(complete)}\n`);
  if (error) console.error(`${describeError(error)}\n  whole log: ${logFile}\n`);
  for (const line of farewell) console.log(line);
  if (options.json) console.log(toJson(complete));
  return error?.exitCode ?? exitCodes.ok;
}

/** What was found out is told in any case: a removal that fails must not hide it. */
async function removeAtTheEnd({ options, directory, remove }: Ending): Promise<string[]> {
  try {
    const left = await remove({ stack: options.stack, directory, images: false });
    return [
      "The sandbox is removed; its images are kept for the next rehearsal.",
      ...left.map((line) => `  left: ${line}`),
    ];
  } catch (error) {
    return [`The sandbox could not be removed: ${String(error)}`, `Try again with: ${downCommand(options)}`];
  }
}

async function takeDown(options: RehearseOptions, directory: string, parts: RehearseParts): Promise<number> {
  const left = await parts.remove({ stack: options.stack, directory, images: true });
  rmSync(`${directory}.log`, { force: true });
  console.log(
    `The sandbox of stack ${options.stack} is removed: containers, networks, volumes, images of the app, state.`,
  );
  for (const line of left) console.log(`  left: ${line}`);
  if (options.json) console.log(toJson({ steps: [], releases: [], urls: [], spans: [], seconds: 0 }));
  return exitCodes.ok;
}

function writeLayers(directory: string, layers: readonly object[]): string[] {
  if (layers.length > 0) mkdirSync(directory, { recursive: true, mode: 0o700 });
  return layers.map((config, index) => {
    const file = path.join(directory, `alone-${index}.yaml`);
    writeFileSync(file, stringify({ config }), { mode: 0o600 });
    return file;
  });
}

function refuseOtherApp(store: ProgressStore, appDirectory: string, options: RehearseOptions): void {
  if (store.progress.app === appDirectory) return;
  throw usageError(`the sandbox of stack "${options.stack}" is in use for another app`, {
    received: appDirectory,
    accepted: store.progress.app,
    cure: `remove the sandbox first: ${downCommand(options)}`,
  });
}

/** The first Ctrl-C ends the rehearsal in order, a second one at once. Returns what takes the handlers off again. */
function onInterrupt(interrupt: AbortController, options: RehearseOptions): () => void {
  const handler = (): void => {
    if (interrupt.signal.aborted) {
      console.error(`\nLeft as it is. Remove what is there with: ${downCommand(options)}`);
      process.exit(exitCodes.interrupted);
    }
    console.error(
      "\nInterrupted: ending what is under way. Press Ctrl-C again to leave everything as it is.",
    );
    interrupt.abort(interrupted());
  };
  process.on("SIGINT", handler).on("SIGTERM", handler);
  return () => void process.off("SIGINT", handler).off("SIGTERM", handler);
}

/** Begins a new log file and returns what adds a line to it. */
function logTo(file: string): (line: string) => void {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, "", { mode: 0o600 });
  return (line) => appendFileSync(file, `${new Date().toISOString()} ${line}\n`);
}

function downCommand({ stack }: RehearseOptions): string {
  return `slipway rehearse --stack ${stack} --down`;
}

function once(work: (watch: Watch) => Promise<void>): (watch: Watch) => Promise<void> {
  let done: Promise<void> | undefined;
  return (watch) => (done ??= work(watch));
}
