import { randomBytes } from "node:crypto";
import { answerLimitSeconds, type LoadTarget, type LoadUpload } from "./plan";
import { type Answer, makeAgent, request } from "./request";

const fileBytes = 64 * 1024;

/**
 * Posts one file the way a browser does: where the form hands out Django's CSRF cookie, its token goes back with
 * the file. A POST is never repeated on its own.
 */
export async function uploadOnce(target: LoadTarget, upload: LoadUpload): Promise<Answer> {
  const agent = makeAgent(target, false);
  const limitSeconds = answerLimitSeconds;
  const form = await request({ target, path: upload.path, agent, limitSeconds });
  // A view that takes POST only answers 405 to the form: then there is no token to bring back.
  if (form.failure !== undefined && form.status === undefined) return form;
  const csrf = csrfHeaders(target, form);
  const { contentType, body } = multipart(upload.field, `rehearsal-${randomBytes(6).toString("hex")}.bin`);
  const answer = await request({
    target,
    path: upload.path,
    agent,
    limitSeconds,
    method: "POST",
    body,
    headers: { "content-type": contentType, ...csrf },
    contains: upload.contains,
    acceptRedirects: true,
  });
  return answer;
}

function csrfHeaders(target: LoadTarget, form: Answer): Record<string, string> {
  const cookie = form.cookies?.map((line) => /^csrftoken=([^;]+)/.exec(line)?.[1]).find(Boolean);
  if (cookie === undefined) return {};
  return { cookie: `csrftoken=${cookie}`, "x-csrftoken": cookie, referer: `${target.url}/` };
}

function multipart(field: string, fileName: string): { contentType: string; body: Buffer } {
  const boundary = `slipway-${randomBytes(12).toString("hex")}`;
  const head =
    `--${boundary}\r\nContent-Disposition: form-data; name="${field}"; filename="${fileName}"\r\n` +
    "Content-Type: application/octet-stream\r\n\r\n";
  const body = Buffer.concat([
    Buffer.from(head),
    randomBytes(fileBytes),
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
  return { contentType: `multipart/form-data; boundary=${boundary}`, body };
}
