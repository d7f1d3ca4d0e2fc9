import { createHash } from "node:crypto";
import type { LoadTarget } from "./load/plan";
import { answerLimitSeconds } from "./load/plan";
import { makeAgent, request } from "./load/request";

/** A static file that a page named, and what was in it. */
export interface Asset {
  readonly path: string;
  readonly sha256: string;
}

/** The static files that these pages name. @throws when a page or a file does not answer. */
export async function collectAssets(target: LoadTarget, pages: readonly string[]): Promise<Asset[]> {
  const paths = new Set<string>();
  for (const page of pages) {
    for (const found of assetPaths(await get(target, page), new URL(page, target.url).href)) paths.add(found);
  }
  return Promise.all([...paths].map(async (path) => ({ path, sha256: hash(await get(target, path)) })));
}

/** What is wrong with files that a page of an earlier release named: they have to answer, and with the same content. */
export async function missingAssets(target: LoadTarget, assets: readonly Asset[]): Promise<string[]> {
  const findings = await Promise.all(
    assets.map(async ({ path, sha256 }) => {
      const answer = await ask(target, path);
      if (answer.failure !== undefined) return [`${path}: ${answer.failure}`];
      return hash(answer.body ?? "") === sha256 ? [] : [`${path}: its content is another one`];
    }),
  );
  return findings.flat();
}

/** Paths of the style sheets, scripts, images and fonts of the same origin that a page's markup names. */
export function assetPaths(html: string, pageUrl: string): string[] {
  const origin = new URL(pageUrl).origin;
  const links = [
    ...html.matchAll(/<(?:link|script|img|source)\b[^>]*?\b(?:href|src)\s*=\s*["']([^"']+)["']/gi),
  ];
  return links.flatMap(([, link]) => {
    if (link === undefined || link.startsWith("data:")) return [];
    const url = new URL(link, pageUrl);
    return url.origin === origin && /\.\w+$/.test(url.pathname) ? [url.pathname + url.search] : [];
  });
}

async function get(target: LoadTarget, path: string): Promise<string> {
  const answer = await ask(target, path);
  if (answer.failure !== undefined) throw new Error(`${path}: ${answer.failure}`);
  return answer.body ?? "";
}

function ask(target: LoadTarget, path: string): ReturnType<typeof request> {
  return request({ target, path, agent: makeAgent(target, false), limitSeconds: answerLimitSeconds });
}

function hash(content: string): string {
  return createHash("sha256").update(content).digest("hex");
}
