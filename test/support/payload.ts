import { extract } from "tar-stream";

/** The files that a RemoteScript sends to its host, by name. */
export async function payloadFiles(stdin: unknown): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  const tar = extract();
  tar.end(Buffer.from(String(stdin), "base64"));
  for await (const entry of tar) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    files[entry.header.name] = Buffer.concat(chunks).toString("utf8");
  }
  return files;
}
