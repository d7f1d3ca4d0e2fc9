// From the command line to a host: every way on which there is none, with the cure.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { findTarget, type AccessSources, type TargetOptions } from "../../../cli/day2/access";
import { readPulumiAccess } from "../../../cli/day2/pulumiOutput";
import { usageError } from "../../../cli/errors";
import { refusalOf } from "./support";

const connection = {
  host: "203.0.113.7",
  port: 22,
  user: "deploy",
  privateKey: "key",
  hostKey: "ssh-ed25519 AA",
};
const access = (app: string) => ({
  ...{ target: "compose", app, connection, managedDatabase: true },
  releasesFile: "releases/staging.yaml",
});

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "slipway-access-"));
  writeFileSync(path.join(directory, "Pulumi.yaml"), "name: shop\n");
  writeFileSync(path.join(directory, "Pulumi.staging.yaml"), "config: {}\n");
});
afterEach(() => rmSync(directory, { recursive: true }));

function find(options: Partial<TargetOptions>, from: Partial<AccessSources> = {}) {
  const never = (): never => {
    throw new Error("not to be asked");
  };
  return findTarget({ stack: "staging", ...options }, { directory, pulumi: never, sandbox: never, ...from });
}
const pulumi = (...apps: string[]) => ({
  pulumi: () => Promise.resolve(Object.fromEntries(apps.map((app) => [app, access(app)]))),
});

describe("the app that is meant", () => {
  test("is the stack's only one", async () => {
    expect(await find({}, pulumi("shop"))).toMatchObject({
      access: { app: "shop", connection },
      releasesFile: path.join(directory, "releases/staging.yaml"),
    });
  });

  test("is named when there are several", async () => {
    expect((await find({ app: "blog" }, pulumi("shop", "blog"))).access.app).toBe("blog");
    const { code, text } = await refusalOf(() => find({}, pulumi("shop", "blog")));
    expect(code).toBe(2);
    expect(text).toMatch(/several apps\n.*no --app\n.*accepted: shop, blog\n.*--app/);
    expect((await refusalOf(() => find({ app: "news" }, pulumi("shop", "blog")))).text).toMatch(
      /no app news\n.*received: --app news\n.*accepted: shop, blog/,
    );
  });

  test("is in the sandbox only when that is asked for", async () => {
    const asked: string[] = [];
    const sandbox: AccessSources["sandbox"] = (_project, _stack, at) => {
      asked.push(at);
      return { access: { shop: access("shop") } };
    };
    await find({ sandbox: true }, { sandbox });
    await find({ sandbox: "elsewhere" }, { sandbox });
    expect(asked).toEqual([path.join(directory, ".sandbox/staging"), path.join(directory, "elsewhere")]);
  });
});

describe("there is none", () => {
  test("without a stack of that name", async () => {
    expect(await refusalOf(() => find({ stack: "prod" }))).toMatchObject({
      code: 2,
      text: expect.stringContaining("accepted: staging") as string,
    });
  });

  test("in a sandbox where nothing stands", async () => {
    const { text } = await refusalOf(() => find({ sandbox: true }, { sandbox: () => undefined }));
    expect(text).toContain("slipway rehearse --stack staging --keep");
  });

  test("in the cloud, and then the sandbox that is here is mentioned", async () => {
    mkdirSync(path.join(directory, ".sandbox/staging"), { recursive: true });
    writeFileSync(path.join(directory, ".sandbox/staging/state.json"), "{}");
    const fails = () =>
      Promise.reject(usageError("nothing is deployed as stack staging", { cure: "run pulumi up" }));
    const { text } = await refusalOf(() => find({}, { pulumi: fails }));
    expect(text).toContain("run pulumi up. The rehearsed stack of this checkout is meant with --sandbox");
  });
});

describe("pulumi", () => {
  const before = process.env["PATH"];
  afterEach(() => (process.env["PATH"] = before));

  function fakePulumi(script: string): void {
    writeFileSync(path.join(directory, "pulumi"), `#!/bin/sh\n${script}\n`);
    chmodSync(path.join(directory, "pulumi"), 0o755);
    process.env["PATH"] = `${directory}:${before}`;
  }

  test("is asked for the one output, in the project's directory, with nothing secret on its command line", async () => {
    fakePulumi('printf \'{"cwd":"%s","words":"%s"}\' "$PWD" "$*"');
    expect(await readPulumiAccess(directory, "staging")).toEqual({
      cwd: directory,
      words: "stack output access --json --show-secrets --non-interactive --stack staging",
    });
  });

  test.each([
    [
      "error: no stack named 'staging' found",
      "nothing is deployed as stack staging",
      "pulumi stack init staging",
    ],
    [
      "error: current stack does not have output property 'access'",
      "has no host",
      "pulumi up --stack staging",
    ],
    [
      "error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions",
      "not logged in",
      "pulumi login",
    ],
    [
      "error: constructing secrets manager: passphrase must be set with PULUMI_CONFIG_PASSPHRASE",
      "decrypt",
      "PULUMI_CONFIG_PASSPHRASE",
    ],
    ["error: the moon is full", "could not read the outputs", "the moon is full"],
  ])("says %s", async (words, message, cure) => {
    fakePulumi(`echo "${words}" >&2; exit 255`);
    const { text } = await refusalOf(() => readPulumiAccess(directory, "staging"));
    expect(text).toContain(message);
    expect(text).toContain(cure);
  });
});
