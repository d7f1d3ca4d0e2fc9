import { readFileSync } from "node:fs";
import * as path from "node:path";
import { Command, CommanderError } from "commander";
import { addBackupCommands } from "./commands/backup";
import { addRehearseCommand } from "./commands/rehearse";
import { addReleaseCommand } from "./commands/release";
import { addRollbackCommand } from "./commands/rollback";
import { addRunCommands } from "./commands/run";
import { addStatusCommands } from "./commands/status";
import { AlreadyTold, describeError, CliError, exitCodes } from "./errors";

const exitCodeHelp = `
Exit codes:
  0    what was asked for happened
  1    it was tried and did not go as expected; status: something is not healthy
  2    it cannot be done as asked for; nothing was changed
  125  run, exec, logs: the host could not begin; otherwise run and exec exit with the code of what ran
  130  interrupted by Ctrl-C`;

/** The `slipway` command line. */
export function makeProgram(): Command {
  const manifest = JSON.parse(readFileSync(path.join(__dirname, "package.json"), "utf8")) as {
    version: string;
  };
  const program = new Command("slipway")
    .description("Sets what a stack shall run, looks after what runs, and rehearses a stack on this machine.")
    .version(manifest.version)
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .addHelpText("after", exitCodeHelp);
  addReleaseCommand(program);
  addStatusCommands(program);
  addRollbackCommand(program);
  addRunCommands(program);
  addBackupCommands(program);
  addRehearseCommand(program);
  return program;
}

/** Runs one command line and says with which code the process is to exit. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    await makeProgram().parseAsync(argv);
    return exitCodes.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    if (!(error instanceof AlreadyTold)) console.error(describeError(error));
    return error instanceof CliError ? error.exitCode : exitCodes.failed;
  }
}
