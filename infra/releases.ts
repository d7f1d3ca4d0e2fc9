// What each app shall run, as its release file says.
import { readFileSync } from "node:fs";
import { isDigestReference, parseReleaseFile, type ReleaseFile } from "../components/release/releaseFile";
import type { AppConfig } from "./appConfig";
import type { StackConfig } from "./config";

/** @throws naming the file and the command that writes it, when there is none or when it cannot be used. */
export function readRelease(config: StackConfig, app: AppConfig): ReleaseFile {
  const { releasesFile } = app;
  let text: string;
  try {
    text = readFileSync(releasesFile, "utf8");
  } catch {
    const key = app.key === undefined ? "releasesFile" : `${app.path}.releasesFile`;
    const path = app.key === undefined ? `slipway:${key}` : `--path 'slipway:${key}'`;
    throw new Error(
      `slipway:${key} of stack ${config.stack}: received ${JSON.stringify(releasesFile)}, and there is no such file; ` +
        "accepted: a file with `release: 0` before the first release, then what `slipway release set` writes. " +
        `Set it with: pulumi config set --stack ${config.stack} ${path} ${defaultFile(config, app)}`,
    );
  }
  const file = parseReleaseFile(text, releasesFile);
  if (config.requireDigests ?? true) requireDigests(config, app, file);
  return file;
}

function defaultFile({ stack }: StackConfig, { key }: AppConfig): string {
  return key === undefined ? `releases/${stack}.yaml` : `releases/${stack}/${key}.yaml`;
}

function requireDigests({ stack, apps }: StackConfig, app: AppConfig, { images }: ReleaseFile): void {
  const [moving] = Object.entries(images).filter(([, image]) => !isDigestReference(image));
  if (moving === undefined) return;
  const which = apps.length > 1 || app.key !== undefined ? `--app ${app.key ?? "NAME"} ` : "";
  throw new Error(
    `images.${moving[0]} in ${app.releasesFile}: received ${JSON.stringify(moving[1])}; accepted: an image by digest, ` +
      "repository@sha256:…, because slipway:requireDigests is on. " +
      `Write it with: slipway release set --stack ${stack} ${which}${moving[0]}=REPOSITORY@sha256:…`,
  );
}
