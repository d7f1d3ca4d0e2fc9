import { readFileSync } from "node:fs";
import path from "node:path";
import { pack } from "tar-stream";

const scriptsDirectory = path.join(__dirname, "scripts");

/** The text of a shell script that ships with the library. */
export function readScript(name: string): string {
  return readFileSync(path.join(scriptsDirectory, name), "utf8");
}

/** The constant command line that unpacks a payload on the host: `unpack.sh` without its comments. */
export function unpackCommand(): string {
  return readScript("unpack.sh")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .join("\n");
}

/**
 * A tar of the files as base64. Same files, same text: no clock, no owner, and no compression, whose output
 * differs between versions of zlib and would show up as a change.
 */
export async function encodePayload(files: Readonly<Record<string, string>>): Promise<string> {
  const tar = pack();
  const byName = Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, text] of byName) tar.entry({ name, mode: 0o600, mtime: new Date(0) }, text);
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("base64");
}
