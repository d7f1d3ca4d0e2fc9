import { type Command, Option } from "commander";
import { AlreadyTold } from "../errors";
import { rehearse, type RehearseOptions, type WorldArgs } from "../rehearse/command";
import { LocalWorld } from "../rehearse/localWorld";
import { listrProgress } from "../rehearse/progress";
import { removeSandbox } from "../rehearse/removal";
import { stepNames } from "../rehearse/results";
import type { World } from "../rehearse/world";

export function addRehearseCommand(program: Command): void {
  program
    .command("rehearse")
    .summary("run a stack's real program on this machine: ship, switch under load, refuse, go back")
    .description(
      "Runs the stack's real Pulumi program against a sandbox on this machine and ships a real app to it: release 1, " +
        "release 2 under load, a broken release that has to be refused, and the way back to 1. Needs Linux and Docker, " +
        "or a Debian or Ubuntu machine and root, where Docker is then installed. Touches no cloud.",
    )
    .option("--stack <name>", "stack, as in Pulumi.<name>.yaml", "staging")
    .option(
      "--app <dir|name>",
      "ship the app in this directory, as its slipway.yaml describes it, or one of the stack's several apps, alone",
    )
    .option("--keep", "leave the sandbox running at the end and print where the app answers", false)
    .option("--down", "remove all that an earlier run left, and do nothing else", false)
    .addOption(new Option("--only <step>", "run this step alone and keep the sandbox").choices(stepNames))
    .option("--json", "print the result as one line of JSON at the end", false)
    .action(async (options: RehearseOptions) => {
      const makeWorld = (args: WorldArgs): World => new LocalWorld(args);
      const code = await rehearse(options, {
        makeWorld,
        remove: removeSandbox,
        progress: listrProgress,
        directory: process.cwd(),
      });
      if (code !== 0) throw new AlreadyTold(code);
    });
}
