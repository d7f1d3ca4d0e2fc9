import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Sandbox } from "./sandbox";

/** The bodies' own records, for what no container shows: files in the sandbox's directory, without secrets. */
const stateFiles = ["reserved-ips.json", "firewalls.json"] as const;
export type StateFile = (typeof stateFiles)[number];

export async function readState<T>(sandbox: Sandbox, file: StateFile, initial: T): Promise<T> {
  try {
    return JSON.parse(await readFile(join(sandbox.dir, file), "utf8")) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return initial;
    throw error;
  }
}

export async function writeState(sandbox: Sandbox, file: StateFile, value: unknown): Promise<void> {
  const path = join(sandbox.dir, file);
  await writeFile(`${path}.new`, `${JSON.stringify(value, undefined, 2)}\n`);
  await rename(`${path}.new`, path);
}

export async function clearState(sandbox: Sandbox): Promise<void> {
  await Promise.all(stateFiles.map((file) => rm(join(sandbox.dir, file), { force: true })));
}
