// A backup on this machine: one file for each database and volume, and a manifest with their hashes.
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { pack } from "tar-stream";
import type { BackupManifest, BackupPart, BackupPlan } from "../../components/release/day2";
import { CliError, usageError } from "../errors";
import { exitCode, refusal, type Session } from "./session";

const manifestName = "manifest.json";
type StoredPart = BackupManifest["parts"][number];

export interface BackupArgs {
  readonly app: string;
  readonly stack: string;
  readonly release: number;
  readonly plan: BackupPlan;
  /** Must not be there yet. */
  readonly directory: string;
  readonly onPart?: (part: StoredPart) => void;
}

/** Fetches every part. The directory has its name only when all of it is there. */
export async function backUp(session: Session, args: BackupArgs): Promise<BackupManifest> {
  const { app, stack, release, plan, directory } = args;
  await refuseTaken(directory);
  const temporary = `${directory}.${process.pid}.part`;
  await mkdir(temporary, { recursive: true, mode: 0o700 });
  try {
    const parts: StoredPart[] = [];
    for (const part of plan.parts) {
      const stored = await fetchPart(session, part, temporary);
      parts.push(stored);
      args.onPart?.(stored);
    }
    const at = new Date().toISOString();
    const manifest: BackupManifest = {
      ...{ version: 1, app, target: "compose", stack, release, at, parts },
      notes: plan.notes,
    };
    await writeFile(path.join(temporary, manifestName), `${JSON.stringify(manifest, null, 2)}\n`, {
      mode: 0o600,
    });
    await rename(temporary, directory);
    return manifest;
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}

async function refuseTaken(directory: string): Promise<void> {
  const there = await readdir(directory).catch(() => undefined);
  if (there === undefined) return;
  if (there.length === 0) return rm(directory, { recursive: true });
  throw usageError("the directory of the backup is there already", {
    received: directory,
    accepted: "a directory that is not there yet, or an empty one",
    cure: "name another one with --output",
  });
}

async function fetchPart(session: Session, part: BackupPart, directory: string): Promise<StoredPart> {
  const channel = await session.open(["backup", "part", part.file]);
  const ended = exitCode(channel);
  // Whoever waits for it hears of it below.
  ended.catch(() => undefined);
  const said: Buffer[] = [];
  channel.stderr.on("data", (chunk: Buffer) => said.push(chunk));
  channel.end();
  const hash = createHash("sha256");
  let bytes = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  await pipeline(
    channel,
    counted,
    createWriteStream(path.join(directory, part.file), { mode: 0o600, flags: "wx" }),
  );
  const code = await ended;
  const text = Buffer.concat(said).toString("utf8");
  if (code !== 0) throw /^slipway: /m.test(text) ? refusal(text) : partFailed(part, code, text);
  return { ...part, bytes, sha256: hash.digest("hex") };
}

function partFailed({ file }: BackupPart, code: number, text: string): CliError {
  return new CliError(`${file} could not be read on the host`, {
    received: `exit status ${code}`,
    cure: "read the words below; no part of the backup was kept",
    log: { title: "what the host said", text },
  });
}

/** Reads a backup and compares every part with its hash. @throws CliError before anything is touched. */
export async function readBackup(directory: string): Promise<BackupManifest> {
  const manifest = await readManifest(directory);
  for (const { file, sha256 } of manifest.parts) {
    const hash = createHash("sha256");
    const whole = path.basename(file) === file;
    const read = whole
      ? pipeline(createReadStream(path.join(directory, file)), hash)
      : Promise.reject(new Error(file));
    await read.catch(() => {
      throw damaged(directory, `${file} cannot be read`);
    });
    if (hash.digest("hex") !== sha256) throw damaged(directory, `${file} is not what was backed up`);
  }
  return manifest;
}

async function readManifest(directory: string): Promise<BackupManifest> {
  const text = await readFile(path.join(directory, manifestName), "utf8").catch(() => {
    throw usageError("this is no backup", {
      received: directory,
      accepted: `a directory that slipway backup made, with a ${manifestName}`,
      cure: "name such a directory",
    });
  });
  try {
    const manifest = JSON.parse(text) as BackupManifest;
    if (manifest.version === 1 && Array.isArray(manifest.parts)) return manifest;
  } catch {
    // Told below.
  }
  throw damaged(directory, `${manifestName} cannot be read`);
}

function damaged(directory: string, received: string): CliError {
  return usageError("the backup is damaged", {
    received,
    accepted: `the files of ${directory} as they were written`,
    cure: "take another copy of it, or another backup; nothing was changed",
  });
}

/** The backup as one tar, in the order in which the host reads it. */
export function backupTar(directory: string, manifest: BackupManifest): Readable {
  const tar = pack();
  const fill = async (): Promise<void> => {
    for (const file of [manifestName, ...manifest.parts.map((part) => part.file)]) {
      const source = path.join(directory, file);
      const { size } = await stat(source);
      await pipeline(createReadStream(source), tar.entry({ name: file, size, mode: 0o600 }));
    }
    tar.finalize();
  };
  fill().catch((error: unknown) => tar.destroy(error as Error));
  return Readable.from(tar);
}

/** `3.4 MiB`. */
export function readableBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  const power = Math.min(units.length - 1, bytes === 0 ? 0 : Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power] ?? ""}`;
}
