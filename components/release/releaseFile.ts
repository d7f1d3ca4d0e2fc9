import { readFile, rename, writeFile } from "node:fs/promises";
import { Document, isMap, parseDocument } from "yaml";
import { z } from "zod";

/** What one stack shall run: the content of `releases/<stack>.yaml`. */
export interface ReleaseFile {
  /** Counts up with every deploy and every rollback. 0 means that nothing is shipped yet. */
  readonly release: number;
  /** `name -> repository@sha256:…`. */
  readonly images: Readonly<Record<string, string>>;
  /** The commit that the images were built from, when somebody said so. */
  readonly commit?: string;
}

const imageName = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;
const digestReference = /^[a-z0-9][\w.:/-]*@sha256:[0-9a-f]{64}$/;

const schema = z
  .strictObject({
    release: z.int().min(0),
    images: z.record(z.string().regex(imageName), z.string().min(1)).default({}),
    commit: z.string().min(1).optional(),
  })
  .refine((file) => file.release === 0 || Object.keys(file.images).length > 0, {
    path: ["images"],
    message: "a release names at least one image, as `web: repository@sha256:…`",
  });

/**
 * Reads the text of a release file.
 * @throws naming the file, the key and what was received when the text is not a release file.
 */
export function parseReleaseFile(text: string, path: string): ReleaseFile {
  const document = parseDocument(text);
  const broken = document.errors[0];
  if (broken) throw new Error(`${path}: not YAML: ${broken.message}`);
  const parsed = schema.safeParse(document.toJS());
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map(
    (issue) => `  ${issue.path.join(".") || "(the file)"}: ${issue.message}`,
  );
  throw new Error(
    `${path} is not a release file:\n${lines.join("\n")}\n` +
      "Accepted: `release: <number>`, `images: {<name>: <repository>@sha256:<digest>}` and, if wanted, `commit: <sha>`. " +
      "`slipway release set` writes it.",
  );
}

/** Writes `next` as text. Comments and the order of `previous`, the text that it replaces, are kept where they can be. */
function formatReleaseFile(next: ReleaseFile, previous = ""): string {
  const document = parseDocument(previous);
  if (document.errors.length > 0 || document.contents === null) return new Document(plain(next)).toString();
  const current = (document.toJS() ?? {}) as { images?: Record<string, unknown> };
  document.set("release", next.release);
  for (const [name, reference] of Object.entries(next.images)) document.setIn(["images", name], reference);
  for (const name of Object.keys(current.images ?? {})) {
    if (!(name in next.images)) document.deleteIn(["images", name]);
  }
  // `images: {}` of a stack that has shipped nothing would stay on one line for ever.
  const images = document.get("images");
  if (isMap(images)) images.flow = false;
  if (next.commit === undefined) document.delete("commit");
  else document.set("commit", next.commit);
  return document.toString({ lineWidth: 0 });
}

/** Whether a reference names its content and not a tag that can be moved. */
export function isDigestReference(reference: string): boolean {
  return digestReference.test(reference);
}

/** @throws when the file is missing or is not a release file. */
export async function readReleaseFile(path: string): Promise<ReleaseFile> {
  return parseReleaseFile(await readFile(path, "utf8"), path);
}

/** Replaces the file in one move, so that a reader never meets half of it. */
export async function writeReleaseFile(path: string, next: ReleaseFile): Promise<void> {
  const previous = await readFile(path, "utf8").catch(() => "");
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, formatReleaseFile(next, previous));
  await rename(temporary, path);
}

function plain(file: ReleaseFile): ReleaseFile {
  return {
    release: file.release,
    images: { ...file.images },
    ...(file.commit ? { commit: file.commit } : {}),
  };
}
