import { type Command, Option } from "commander";
import { findTarget, type Target, type TargetOptions } from "../day2/access";
import { openSession, type Session } from "../day2/session";

/** The options by which every day-2 command knows its app. */
export function addTargetOptions(command: Command): Command {
  return command
    .requiredOption("--stack <name>", "stack, as in Pulumi.<name>.yaml")
    .option("--app <name>", "app, when the stack has several")
    .addOption(new Option("--sandbox [dir]", "the rehearsed stack on this machine instead of the real one"));
}

/** Finds the app, connects to its host, works, and lets go of it. */
export async function withSession<T>(
  options: TargetOptions,
  work: (session: Session, target: Target) => Promise<T>,
): Promise<T> {
  const target = await findTarget(options);
  const session = await openSession(target.access);
  try {
    return await work(session, target);
  } finally {
    session.close();
  }
}
