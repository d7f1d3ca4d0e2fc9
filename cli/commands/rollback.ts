import { readFile, writeFile } from "node:fs/promises";
import * as path from "node:path";
import type { Command } from "commander";
import { findFailedReceipt, type Receipt } from "../../components/release/receipt";
import { readReleaseFile, writeReleaseFile } from "../../components/release/releaseFile";
import type { Target, TargetOptions } from "../day2/access";
import { describePlan, planRollback, type RollbackPlan } from "../day2/rollback";
import { ConnectionLost, type Session } from "../day2/session";
import { CliError, usageError } from "../errors";
import { readReceipts, readStatus, wholeNumber } from "./status";
import { addTargetOptions, withSession } from "./target";

interface RollbackOptions extends TargetOptions {
  readonly to?: number;
  readonly now?: true;
}

export function addRollbackCommand(program: Command): void {
  addTargetOptions(program.command("rollback"))
    .summary("go back to the images of an earlier release")
    .description(
      "Writes the next release number into the release file, with the images of the last good release that had " +
        "others, and says which migrations stay. `pulumi up` ships it. With --now the host ships it at once, from what " +
        "it has, for the day on which no pipeline runs; the next `pulumi up` finds it unchanged. Variables, compose " +
        "file and secrets stay those of today.",
    )
    .option("--to <number>", "go back to this release", wholeNumber)
    .option("--now", "ship it on the host at once, without Pulumi")
    .action(async (options: RollbackOptions) => {
      await withSession(options, (session, target) => rollback(session, target, options));
    });
}

async function rollback(session: Session, target: Target, { to, now }: RollbackOptions): Promise<void> {
  const fileName = path.relative(process.cwd(), target.releasesFile);
  const file = await readReleaseFile(target.releasesFile).catch((error: Error) => {
    throw usageError(error.message, { cure: "put the file right, or take it back from version control" });
  });
  const [status, receipts] = [await readStatus(session), await readReceipts(session)];
  const plan = planRollback({ status, receipts, file, fileName, to });
  for (const line of describePlan(plan)) console.log(line);
  const before = await readFile(target.releasesFile, "utf8");
  const { release, images } = plan;
  await writeReleaseFile(target.releasesFile, { release, images });
  if (now !== true) {
    console.log(`${fileName}: release ${release} (was ${file.release}); ${target.ship}`);
    return;
  }
  await shipNow(session, plan, async () => {
    await writeFile(target.releasesFile, before);
    return fileName;
  });
  console.log(
    `${fileName}: release ${release} (was ${file.release}); commit it. The next pulumi up finds it unchanged.`,
  );
}

/** `takeBack` puts the release file back as it was, when it is certain that the host does not run the new release. */
async function shipNow(
  session: Session,
  { release, images }: RollbackPlan,
  takeBack: () => Promise<string>,
): Promise<void> {
  console.log(`shipping release ${release} on the host…`);
  const order = JSON.stringify({ release, images });
  const run = await session.capture(["rollback"], order).catch(async (error: unknown) => {
    // Only a refusal is certain: after a lost connection the host goes on by itself.
    if (!(error instanceof ConnectionLost)) await takeBack();
    throw error;
  });
  if (run.code === 0) {
    const { seconds, probe } = JSON.parse(run.stdout.trim().split("\n").at(-1) ?? "{}") as Receipt;
    const took = Object.values(seconds).reduce((sum, part) => sum + part, 0);
    const seen = probe === null ? "" : `; ${probe.failed} of ${probe.requests} requests failed meanwhile`;
    console.log(`release ${release} serves after ${took.toFixed(1)} s${seen}`);
    return;
  }
  const file = await takeBack();
  const failed = findFailedReceipt(run.stderr);
  throw new CliError(`release ${release} was refused by the host, ${file} is as it was`, {
    received: failed ? `${failed.code}: ${failed.message}` : `exit status ${run.code}`,
    cure: failed?.cure ?? "read the host's words",
    log: { title: "what the host said", text: failed ? failed.log.join("\n") : run.stderr },
  });
}
