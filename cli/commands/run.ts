import { randomBytes } from "node:crypto";
import type { Command } from "commander";
import type { TargetOptions } from "../day2/access";
import { requireWords, stream } from "../day2/terminal";
import { AlreadyTold } from "../errors";
import { addTargetOptions, withSession } from "./target";

interface RunOptions extends TargetOptions {
  readonly service?: string;
  readonly raw?: true;
}

interface LogsOptions extends TargetOptions {
  readonly service?: string;
  readonly follow?: true;
  readonly since?: string;
  readonly tail?: string;
  readonly release?: string;
  readonly edge?: true;
}

export function addRunCommands(program: Command): void {
  addTargetOptions(program.command("run"))
    .summary("run a management command in the running release")
    .description(
      "Runs a management command with the image, variables and volumes of the release that serves, in a container of " +
        "its own: a release that goes out meanwhile does not end it. `slipway run --stack staging -- createsuperuser` " +
        "runs `python manage.py createsuperuser`, or whatever stands before `migrate` in the app's migrate.command. " +
        "There is a terminal when this one has one; otherwise stdin, stdout and stderr are pipes. Exits with the " +
        "command's own code, or with 125 when it could not be started.",
    )
    .option("--service <name>", "service whose image and variables it has (default: the one that migrates)")
    .option("--raw", "the words are a program and its arguments, not a management command")
    .argument("<words...>", "the command, after --")
    .action(async (words: string[], options: RunOptions) => {
      requireWords(words);
      const id = randomBytes(4).toString("hex");
      const flags = [...flag("--service", options.service), "--id", id, ...(options.raw ? ["--raw"] : [])];
      await told(
        withSession(options, (session) =>
          stream(session, ["run", ...flags, "--", ...words], {
            terminal: true,
            onInterrupt: (times) => session.capture(["interrupt", id, times === 1 ? "INT" : "KILL"]),
          }),
        ),
      );
    });

  addTargetOptions(program.command("exec"))
    .summary("run a program in the running container")
    .description(
      "Runs a program in the container that serves, or in that of another service, such as `-- sh`. What it needs of " +
        "memory counts as the container's own, and a release ends it. Exits with the program's own code, or with 125 " +
        "when it could not be started.",
    )
    .option(
      "--service <name>",
      "service, also one with data of its own (default: the one that answers requests)",
    )
    .argument("<words...>", "the program and its arguments, after --")
    .action(async (words: string[], options: RunOptions) => {
      requireWords(words);
      const verb = ["exec", ...flag("--service", options.service), "--", ...words];
      await told(withSession(options, (session) => stream(session, verb, { terminal: true })));
    });

  addTargetOptions(program.command("logs"))
    .summary("show what the running release, the edge or an earlier release's run wrote")
    .description(
      "Prints what the containers of the release that serves wrote. With --release the log of the run that shipped a " +
        "release, also of one that failed; with --edge the access log. With --follow a later release is followed too.",
    )
    .option("--service <name>", "only this service")
    .option("-f, --follow", "go on until Ctrl-C")
    .option("--since <time>", "since a time, such as 2026-11-21T13:00:00Z or 15m")
    .option("-n, --tail <lines>", "only so many of the last lines")
    .option("--release <number>", "the log of the run that shipped this release")
    .option("--edge", "the access log of the edge")
    .action(async (options: LogsOptions) => {
      const verb = [
        "logs",
        ...flag("--service", options.service),
        ...flag("--since", options.since),
        ...flag("--tail", options.tail),
        ...flag("--release", options.release),
        ...(options.follow ? ["--follow"] : []),
        ...(options.edge ? ["--edge"] : []),
      ];
      await told(withSession(options, (session) => stream(session, verb, { terminal: false })));
    });
}

function flag(name: string, value: string | undefined): string[] {
  return value === undefined ? [] : [name, value];
}

/** The code of what ran is the code of this command. */
async function told(running: Promise<number>): Promise<void> {
  const code = await running;
  if (code !== 0) throw new AlreadyTold(code);
}
