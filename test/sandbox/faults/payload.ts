// Sends a release as the program does, but without the program: for what happens on the host alone, many times over.
import { listResources } from "../../../cli/sandbox/up";
import { encodePayload, unpackCommand } from "../../../components/release/payload";
import { findFailedReceipt, type FailedReceipt } from "../../../components/release/receipt";
import { payloadFiles } from "../../support/payload";
import type { Road } from "../road/road";
import { ssh } from "../ssh";

export interface Sent {
  /** Exit status that the SSH session ended with. */
  readonly status: number;
  /** What a release prints that did not come through. */
  readonly failure?: FailedReceipt;
  readonly output: string;
}

/** What differs from the payload that the program sent last. */
export interface Changes {
  /** Over options.json. */
  readonly options?: object;
  /** Over release.json. */
  readonly spec?: object;
  /** Variables over those of the .env file; undefined takes one out. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Texts that are replaced in every file. */
  readonly replace?: Readonly<Record<string, string>>;
}

/** Sends what the program sent last as another release. Rejects when the connection is cut. */
export async function sendRelease(road: Road, release: number, changes: Changes = {}): Promise<Sent> {
  const { connection, stdin } = lastCommand(road);
  const files = changed(await payloadFiles(stdin), release, changes);
  const { host, user, privateKey, hostKey } = connection;
  const target = { host, username: user, privateKey, hostKey };
  const { code, output } = await ssh(target, unpackCommand(), await encodePayload(files));
  return { status: code, failure: findFailedReceipt(output), output };
}

function changed(files: Record<string, string>, release: number, changes: Changes): Record<string, string> {
  const { options, spec, environment = {}, replace = {} } = changes;
  const over = (name: string, values: object = {}): string =>
    JSON.stringify({ ...(JSON.parse(files[name] ?? "") as object), ...values });
  const variables = Object.entries(environment);
  const kept = (files["app/.env"] ?? "")
    .split("\n")
    .filter((line) => !variables.some(([name]) => line.startsWith(`${name}=`)));
  const added = variables.flatMap(([name, value]) => (value === undefined ? [] : [`${name}="${value}"`]));
  const result = {
    ...files,
    "release.json": over("release.json", { ...spec, release }),
    "options.json": over("options.json", options),
    "app/.env": [...added, ...kept].join("\n"),
  };
  const replaced = (text: string): string =>
    Object.entries(replace).reduce((so, [from, to]) => so.replaceAll(from, to), text);
  return Object.fromEntries(Object.entries(result).map(([name, text]) => [name, replaced(text)]));
}

interface CommandInputs {
  readonly connection: {
    readonly host: string;
    readonly user: string;
    readonly privateKey: string;
    readonly hostKey: string;
  };
  readonly stdin: string;
}

function lastCommand(road: Road): CommandInputs {
  const { stack, directory: sandboxDirectory } = road;
  const command = listResources({ stack, sandboxDirectory, showSecrets: true }).find(
    ({ type, name }) => type === "command:remote:Command" && name.endsWith("-release"),
  );
  if (command === undefined) throw new Error("the program has not shipped a release yet");
  return command.inputs as unknown as CommandInputs;
}
