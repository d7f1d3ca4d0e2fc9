import { existsSync } from "node:fs";
import * as path from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import type { HostStatus, KeptReceipt } from "../../components/release/day2";
import { readReleaseFile } from "../../components/release/releaseFile";
import type { Target, TargetOptions } from "../day2/access";
import { judge, type Wanted } from "../day2/judge";
import { releasesView } from "../day2/releasesView";
import type { Session } from "../day2/session";
import { statusView } from "../day2/statusView";
import { AlreadyTold, CliError, exitCodes } from "../errors";
import { addTargetOptions, withSession } from "./target";

export function addStatusCommands(program: Command): void {
  addTargetOptions(program.command("status"))
    .summary("what runs where, and whether it is healthy")
    .description(
      "Asks the host: which release serves since when, its containers and their images, an answer through the edge, " +
        "certificates, disk, a release that was cut. Compares it with the release file. Exits with 1 when something is not healthy.",
    )
    .option("--json", "print all that is known as one line of JSON")
    .action(async (options: TargetOptions & { json?: true }) => {
      const { status, wanted, stack } = await withSession(options, async (session, target) => ({
        stack: target.stack,
        status: await readStatus(session),
        wanted: await readWanted(target),
      }));
      const findings = judge(status, wanted);
      const healthy = !findings.some(({ level }) => level === "error");
      if (options.json) console.log(JSON.stringify({ ...status, stack, healthy, findings }));
      else console.log(statusView(status, findings, stack));
      if (!healthy) throw new AlreadyTold(exitCodes.failed);
    });

  addTargetOptions(program.command("releases"))
    .summary("every release that was shipped or refused")
    .description(
      "Lists the receipts that the host keeps, the newest first, also those of releases that were refused. `here` " +
        "marks releases whose images the host still has: going back to one of them fetches nothing.",
    )
    .option("--limit <number>", "so many", wholeNumber, 20)
    .option("--json", "print the receipts as one line of JSON")
    .action(async (options: TargetOptions & { json?: true; limit: number }) => {
      const { receipts, serving } = await withSession(options, async (session) => ({
        receipts: await readReceipts(session),
        serving: (await readStatus(session)).release,
      }));
      if (options.json) console.log(JSON.stringify(receipts.slice(-options.limit).reverse()));
      else console.log(releasesView(receipts, serving ?? undefined, options.limit));
    });
}

/** A whole number from 1 on, as an option's value. */
export function wholeNumber(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  throw new InvalidArgumentError("Give a whole number from 1 on.");
}

export async function readStatus(session: Session): Promise<HostStatus> {
  return (await json(session, "status")) as HostStatus;
}

export async function readReceipts(session: Session): Promise<KeptReceipt[]> {
  return (await json(session, "releases")) as KeptReceipt[];
}

async function json(session: Session, verb: string): Promise<unknown> {
  const { code, stdout, stderr } = await session.capture([verb]);
  try {
    if (code === 0) return JSON.parse(stdout) as unknown;
  } catch {
    // Told below.
  }
  throw new CliError(`the host gave no answer to ${verb}`, {
    received: `exit status ${code}`,
    cure: "see whether the host's disk is full, and whether Docker answers: systemctl status docker",
    log: { title: "what the host said", text: stderr || stdout },
  });
}

/** What the stack shall run. Without the file there is nothing to compare with, which is no reason not to look. */
export async function readWanted({ releasesFile }: Target): Promise<Wanted> {
  const file = path.relative(process.cwd(), releasesFile);
  if (!existsSync(releasesFile)) return { file };
  return { file, release: await readReleaseFile(releasesFile) };
}
