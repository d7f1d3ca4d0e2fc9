// From the words of the command line to the one app that is meant, and the way to its host.
import { existsSync } from "node:fs";
import * as path from "node:path";
import type { AppAccess } from "../../components/release/day2";
import { CliError, usageError } from "../errors";
import { findProject, stackConfigPath } from "../project";
import { stackOutputs } from "../sandbox/up";
import { readPulumiAccess } from "./pulumiOutput";

export interface TargetOptions {
  readonly stack: string;
  /** Which app, when the stack has several. */
  readonly app?: string;
  /** The rehearsed stack instead of the real one: its directory, or true for the usual one. */
  readonly sandbox?: string | true;
}

/** One app of one stack. */
export interface Target {
  readonly access: AppAccess;
  readonly stack: string;
  /** What the stack, or its sandbox, shall run. */
  readonly releasesFile: string;
  /** What brings the release file to the host. */
  readonly ship: string;
}

/** Where accesses come from. Tests give their own. */
export interface AccessSources {
  readonly directory: string;
  readonly pulumi: (project: string, stack: string) => Promise<unknown>;
  readonly sandbox: (
    project: string,
    stack: string,
    directory: string,
  ) => Record<string, unknown> | undefined;
}

const sources: AccessSources = {
  get directory() {
    return process.cwd();
  },
  pulumi: readPulumiAccess,
  sandbox: (programDirectory, stack, sandboxDirectory) =>
    stackOutputs({ stack, programDirectory, sandboxDirectory }),
};

/** Finds the app that is meant. @throws CliError with the cure when there is none, or more than one. */
export async function findTarget(options: TargetOptions, from: AccessSources = sources): Promise<Target> {
  const project = findProject(from.directory);
  const { stack } = options;
  stackConfigPath(project, stack);
  const target = (access: AppAccess, ship: string): Target => ({
    ...{ access, stack, ship },
    releasesFile: path.resolve(project, access.releasesFile),
  });
  const usual = path.join(project, ".sandbox", stack);
  if (options.sandbox !== undefined) {
    const directory = options.sandbox === true ? usual : path.resolve(from.directory, options.sandbox);
    const outputs = from.sandbox(project, stack, directory);
    if (outputs?.["access"] === undefined) throw noSandbox(stack, directory);
    return target(choose(outputs["access"], options), "the next run of the rehearsed program ships it");
  }
  const access = await from.pulumi(project, stack).catch((error: unknown) => {
    throw error instanceof CliError && existsSync(path.join(usual, "state.json")) ? withHint(error) : error;
  });
  return target(choose(access, options), `ship it with: pulumi up --stack ${stack}`);
}

function choose(access: unknown, { app, stack }: TargetOptions): AppAccess {
  const apps = access as Readonly<Record<string, AppAccess>>;
  const names = Object.keys(apps);
  const accepted = names.join(", ") || "none: the stack ships no app";
  if (app === undefined && names.length > 1) {
    throw usageError(`stack ${stack} has several apps`, {
      received: "no --app",
      accepted,
      cure: "name one of them with --app",
    });
  }
  const chosen = apps[app ?? names[0] ?? ""];
  if (chosen !== undefined) return chosen;
  throw usageError(`stack ${stack} has no app ${app ?? ""}`.trimEnd(), {
    received: app === undefined ? "no --app" : `--app ${app}`,
    accepted,
    cure: "name one of these, or add the app to the stack and run pulumi up",
  });
}

function noSandbox(stack: string, directory: string): CliError {
  return usageError(`stack ${stack} is not rehearsed here`, {
    received: `--sandbox, and nothing stands in ${directory}`,
    accepted: "the sandbox of a stack that was kept after a rehearsal",
    cure: `leave --sandbox out for the real stack, or rehearse it: slipway rehearse --stack ${stack} --keep`,
  });
}

function withHint(error: CliError): CliError {
  const { cure } = error.details;
  return new CliError(error.message, {
    ...error.details,
    cure: `${cure}. The rehearsed stack of this checkout is meant with --sandbox`,
  });
}
