import * as path from "node:path";
import { createInterface } from "node:readline/promises";
import type { Command } from "commander";
import type { BackupManifest, BackupPlan, RestoreReceipt } from "../../components/release/day2";
import type { Target, TargetOptions } from "../day2/access";
import { backupTar, backUp, readableBytes, readBackup } from "../day2/backup";
import type { Session } from "../day2/session";
import { CliError, usageError } from "../errors";
import { readStatus } from "./status";
import { addTargetOptions, withSession } from "./target";

export function addBackupCommands(program: Command): void {
  addTargetOptions(program.command("backup"))
    .summary("copy databases of the compose file and volumes to this machine")
    .description(
      "Copies what releases do not bring along: a dump of each Postgres that is one of the app's stateful services, and " +
        "a tar of each volume that outlives releases (uploads, a broker's data), in which databases of SQLite are " +
        "consistent. The app goes on meanwhile. A managed database is not in it: its provider backs it up.",
    )
    .requiredOption("--output <dir>", "directory to write; must not be there yet")
    .action(async (options: TargetOptions & { output: string }) => {
      await withSession(options, (session, target) => backup(session, target, path.resolve(options.output)));
    });

  addTargetOptions(program.command("restore"))
    .summary("bring a backup back")
    .description(
      "Brings every database and volume of a backup back. Hashes are checked first, everything is unpacked beside what " +
        "is there while the app goes on, then the app is stopped, both change places, the running release migrates what " +
        "came back, and starts. When it does not answer, what was there before comes back.",
    )
    .argument("<dir>", "what slipway backup wrote")
    .option("--yes", "do not ask for the app's name")
    .action(async (directory: string, options: TargetOptions & { yes?: true }) => {
      const manifest = await readBackup(path.resolve(directory));
      await withSession(options, (session, target) =>
        restore(session, target, { directory, manifest, ...options }),
      );
    });
}

async function backup(session: Session, { access, stack }: Target, directory: string): Promise<void> {
  const { app } = access;
  const { release } = await readStatus(session);
  const { stdout } = await session.capture(["backup", "list"]);
  const plan = JSON.parse(stdout) as BackupPlan;
  if (plan.parts.length === 0) {
    throw usageError(`${app} keeps nothing on its host that could be backed up`, {
      received: "no stateful Postgres, and no volume that outlives a release",
      accepted: "an app with one of these",
      cure: access.managedDatabase
        ? "its managed database is backed up by the provider"
        : "nothing is to be done",
    });
  }
  const manifest = await backUp(session, {
    ...{ app, stack, plan, directory, release: release ?? 0 },
    onPart: ({ file, bytes }) => console.log(`  ${file}  ${readableBytes(bytes)}`),
  });
  const total = manifest.parts.reduce((sum, { bytes }) => sum + bytes, 0);
  console.log(`${directory}: ${readableBytes(total)} of ${app}, release ${release}`);
  for (const note of manifest.notes) console.log(`note: ${note}`);
  if (access.managedDatabase)
    console.log("note: the managed database is not in it; its provider backs it up");
}

interface RestoreOptions {
  readonly directory: string;
  readonly manifest: BackupManifest;
  readonly yes?: true;
}

async function restore(session: Session, { access, stack }: Target, options: RestoreOptions): Promise<void> {
  const { manifest, directory, yes } = options;
  const { app } = access;
  if (manifest.app !== app) {
    throw usageError("the backup is of another app", {
      received: manifest.app,
      accepted: app,
      cure: "name the app it is of with --app, or another backup",
    });
  }
  const files = manifest.parts.map(({ file }) => file).join(", ");
  console.log(
    `This replaces ${files} of ${app} in stack ${stack} by those of ${manifest.at}, release ${manifest.release}.`,
  );
  if (yes !== true) await confirm(app);
  const { code, stdout, stderr } = await session.capture(["restore"], backupTar(directory, manifest));
  if (code !== 0) {
    throw new CliError("the restore failed on the host", {
      received: `exit status ${code}`,
      cure: "look with slipway status; run the restore again, it first puts back what was there",
      log: { title: "what the host said", text: stderr },
    });
  }
  const { secondsAway, release } = JSON.parse(stdout.trim().split("\n").at(-1) ?? "{}") as RestoreReceipt;
  console.log(`restored; release ${release} answers. It was away for ${secondsAway.toFixed(1)} s.`);
}

async function confirm(app: string): Promise<void> {
  if (!process.stdin.isTTY) {
    throw usageError("nobody is there to say that the data may be replaced", {
      received: "no terminal",
      accepted: "the app's name, typed, or --yes",
      cure: "add --yes when that is meant",
    });
  }
  const prompt = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = await prompt.question(`Type ${app} to go on: `);
    if (answer.trim() === app) return;
    throw usageError("nothing was changed", {
      received: JSON.stringify(answer.trim()),
      accepted: app,
      cure: "type the app's name to go on",
    });
  } finally {
    prompt.close();
  }
}
