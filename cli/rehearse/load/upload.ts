import { createHash, randomBytes } from "node:crypto";
import { answerLimitSeconds, type KeptFile, type LoadTarget, type LoadUpload } from "./plan";
import { type Answer, makeAgent, request } from "./request";

const fileBytes = 64 * 1024;

/** What became of one upload. */
export interface Posted extends Answer {
  /** The file, when the answer says under which `url` it is found. */
  readonly kept?: KeptFile;
}

/**
 * Posts one file the way a browser does: where the form hands out Django's CSRF cookie, its token goes back with
 * the file. A POST is never repeated on its own.
 */
export async function uploadOnce(
  target: LoadTarget,
  upload: LoadUpload,
  limitSeconds = answerLimitSeconds,
): Promise<Posted> {
  const agent = makeAgent(target, false);
  const form = await request({ target, path: upload.path, agent, limitSeconds });
  // A view that takes POST only answers 405 to the form: then there is no token to bring back.
  if (form.failure !== undefined && form.status === undefined) return form;
  const content = randomBytes(fileBytes);
  const { contentType, body } = multipart(upload.field, content);
  const answer = await request({
    target,
    path: upload.path,
    agent,
    limitSeconds,
    method: "POST",
    body,
    headers: { "content-type": contentType, ...csrfHeaders(target, form) },
    contains: upload.contains,
    acceptRedirects: true,
  });
  const path = answer.failure === undefined ? pathOf(target, answer.body) : undefined;
  if (path === undefined) return answer;
  const sha256 = createHash("sha256").update(content).digest("hex");
  return { ...answer, kept: { path, sha256, kind: "upload" } };
}

/** Where the file is found, when the answer is JSON with a `url` of the same origin. */
function pathOf(target: LoadTarget, body: Buffer | undefined): string | undefined {
  try {
    const { url } = JSON.parse(body?.toString("utf8") ?? "") as { url?: unknown };
    if (typeof url !== "string") return undefined;
    const found = new URL(url, target.url);
    return found.origin === new URL(target.url).origin ? found.pathname + found.search : undefined;
  } catch {
    return undefined;
  }
}

function csrfHeaders(target: LoadTarget, form: Answer): Record<string, string> {
  const cookie = form.cookies?.map((line) => /^csrftoken=([^;]+)/.exec(line)?.[1]).find(Boolean);
  if (cookie === undefined) return {};
  return { cookie: `csrftoken=${cookie}`, "x-csrftoken": cookie, referer: `${target.url}/` };
}

function multipart(field: string, content: Buffer): { contentType: string; body: Buffer } {
  const boundary = `slipway-${randomBytes(12).toString("hex")}`;
  const fileName = `rehearsal-${randomBytes(6).toString("hex")}.bin`;
  const head =
    `--${boundary}\r\nContent-Disposition: form-data; name="${field}"; filename="${fileName}"\r\n` +
    "Content-Type: application/octet-stream\r\n\r\n";
  const body = Buffer.concat([Buffer.from(head), content, Buffer.from(`\r\n--${boundary}--\r\n`)]);
  return { contentType: `multipart/form-data; boundary=${boundary}`, body };
}
