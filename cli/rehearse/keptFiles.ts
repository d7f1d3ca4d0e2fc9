import { createHash } from "node:crypto";
import { CliError } from "../errors";
import { answerLimitSeconds, type KeptFile, type LoadTarget } from "./load/plan";
import { makeAgent, request } from "./load/request";

/** The static files that these pages name. @throws when a page or a file does not answer. */
export async function collectStaticFiles(target: LoadTarget, pages: readonly string[]): Promise<KeptFile[]> {
  const paths = new Set<string>();
  for (const page of pages) {
    const html = (await get(target, page)).toString("utf8");
    for (const found of staticPaths(html, new URL(page, target.url).href)) paths.add(found);
  }
  return Promise.all(
    [...paths].map(async (path) => ({
      path,
      sha256: hash(await get(target, path)),
      kind: "static" as const,
    })),
  );
}

/** The error that says which files of an earlier release do not answer any more, or not with the same content. */
export async function lostFiles(
  target: LoadTarget,
  files: readonly KeptFile[],
): Promise<CliError | undefined> {
  const found = await Promise.all(
    files.map(async (file) => ({ ...file, problem: await problemOf(target, file) })),
  );
  const lost = found.filter(({ problem }) => problem !== undefined);
  if (lost.length === 0) return undefined;
  const what = lost.map(({ path, problem }) => `${path}: ${problem}`).join("; ");
  return new CliError(`files of an earlier release are gone: ${what}`, {
    accepted: "each static file that a page of an earlier release names, and each upload, as it was",
    cure: lost.some(({ kind }) => kind === "static")
      ? "let STATIC_ROOT be a named volume of the compose file, and list it under perReleaseVolumes: then they are carried over"
      : "let uploads go to a named volume of the compose file that is not listed under perReleaseVolumes",
  });
}

/** Paths of the style sheets, scripts, images and fonts of the same origin that a page's markup names. */
export function staticPaths(html: string, pageUrl: string): string[] {
  const origin = new URL(pageUrl).origin;
  const links = html.matchAll(/<(?:link|script|img|source)\b[^>]*?\b(?:href|src)\s*=\s*["']([^"']+)["']/gi);
  return [...links].flatMap(([, link]) => {
    if (link === undefined || link.startsWith("data:")) return [];
    const url = new URL(link, pageUrl);
    return url.origin === origin && /\.\w+$/.test(url.pathname) ? [url.pathname + url.search] : [];
  });
}

async function problemOf(target: LoadTarget, { path, sha256 }: KeptFile): Promise<string | undefined> {
  const answer = await ask(target, path);
  if (answer.failure !== undefined) return answer.failure;
  return hash(answer.body) === sha256 ? undefined : "its content is another one";
}

async function get(target: LoadTarget, path: string): Promise<Buffer> {
  const answer = await ask(target, path);
  if (answer.failure !== undefined) throw new Error(`${path}: ${answer.failure}`);
  return answer.body ?? Buffer.alloc(0);
}

function ask(target: LoadTarget, path: string): ReturnType<typeof request> {
  return request({ target, path, agent: makeAgent(target, false), limitSeconds: answerLimitSeconds });
}

function hash(content: Buffer = Buffer.alloc(0)): string {
  return createHash("sha256").update(content).digest("hex");
}
