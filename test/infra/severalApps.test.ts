/** @jest-environment ./test/support/rejections.ts */
// Several apps on one host: what each has of its own, and that nothing of one depends on another. Not proven here: that
// they leave each other alone while they serve; test/sandbox/appsOnOneHost.test.ts shows that.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type * as pulumi from "@pulumi/pulumi";
import program from "../../infra/index";
import { secretTexts } from "../support/cloud";
import { payloadFiles } from "../support/payload";
import { leaks, valueOf, type Recorded } from "../support/recorder";
import { failStack, runStack, shipped } from "../support/stack";

jest.mock("../../components/release/checkConnection", () => ({
  checkConnection: (connection: unknown) => connection,
}));

// A few run the program twice.
jest.setTimeout(20_000);
beforeAll(() => void jest.spyOn(console, "log").mockImplementation());

const command = "command:remote:Command";
let directory = "";
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), "apps-test-"));
  for (const name of ["blog", "wiki"]) {
    mkdirSync(path.join(directory, name));
    const own = {
      name: "of its own",
      compose: "compose.yml",
      ingress: { service: "web", port: 80 },
      health: { path: "/" },
    };
    writeFileSync(path.join(directory, name, "slipway.yaml"), JSON.stringify(own));
    writeFileSync(path.join(directory, name, "compose.yml"), "services: { web: { image: $WEB_IMAGE } }\n");
    writeFileSync(path.join(directory, `${name}.yaml`), JSON.stringify(release(7)));
  }
});
afterAll(() => rmSync(directory, { recursive: true }));

const release = (number: number) => ({ release: number, images: { web: shipped.images.web } });
const app = (name: string, more: object = {}) => ({
  directory: path.join(directory, name),
  releasesFile: path.join(directory, `${name}.yaml`),
  domains: [`${name}.example.com`],
  ...more,
});
const run = (apps: object, config: object = {}, secretKeys: string[] = []) =>
  runStack(program, { stack: "staging", config: { "slipway:apps": apps, ...config }, secretKeys });
const refusal = async (apps: object, config: object = {}) => {
  const all = { "slipway:apps": apps, ...config };
  const { message, urns } = await failStack(program, { stack: "staging", config: all });
  expect(urns).toEqual([]);
  return message;
};
/** Without `slipway:app`, and without what belongs to it. */
const onlySeveral = { "slipway:app": undefined, "slipway:releasesFile": undefined };
const environmentOf = async (recorded: Recorded) =>
  (await payloadFiles(recorded.inputs["stdin"]))["app/.env"] ?? "";

describe("apps beside the first one", () => {
  test("leave every resource as it was named, and name their own by their key", async () => {
    const before = readFileSync("test/infra/urns/staging.txt", "utf8").trim().split("\n");
    const urns = (await run({ blog: app("blog", { database: {} }), wiki: app("wiki") })).urns();
    expect(urns.filter((urn) => before.includes(urn))).toEqual(before);
    const prefix = "urn:pulumi:staging::slipway::";
    expect(urns.filter((urn) => !before.includes(urn)).map((urn) => urn.replace(prefix, ""))).toEqual([
      "random:index/randomPassword:RandomPassword::blog-secret-key",
      "random:index/randomPassword:RandomPassword::wiki-secret-key",
      "slipway:index:AppSlot$slipway:index:RemoteScript$command:remote:Command::blog",
      "slipway:index:AppSlot$slipway:index:RemoteScript$command:remote:Command::wiki",
      "slipway:index:AppSlot$slipway:index:RemoteScript::blog",
      "slipway:index:AppSlot$slipway:index:RemoteScript::wiki",
      "slipway:index:AppSlot::blog",
      "slipway:index:AppSlot::wiki",
      "slipway:index:ComposeRelease$slipway:index:RemoteScript$command:remote:Command::blog-release",
      "slipway:index:ComposeRelease$slipway:index:RemoteScript$command:remote:Command::wiki-release",
      "slipway:index:ComposeRelease$slipway:index:RemoteScript::blog-release",
      "slipway:index:ComposeRelease$slipway:index:RemoteScript::wiki-release",
      "slipway:index:ComposeRelease::blog-release",
      "slipway:index:ComposeRelease::wiki-release",
      "slipway:index:PostgresDatabase$random:index/randomPassword:RandomPassword::database-blog-password-a",
      "slipway:index:PostgresDatabase$random:index/randomPassword:RandomPassword::database-blog-password-b",
      "slipway:index:PostgresDatabase$slipway:index:RemoteScript$command:remote:Command::database-blog-roles",
      "slipway:index:PostgresDatabase$slipway:index:RemoteScript::database-blog-roles",
      "slipway:index:PostgresDatabase::database-blog",
    ]);
  });

  test("send the first one nothing that it was not sent before", async () => {
    const alone = await runStack(program, { stack: "staging" });
    const beside = await run({ blog: app("blog", { database: {}, environment: { A: "b" } }) });
    const sent = async (recorded: Recorded) => ({
      ...recorded.inputs,
      stdin: await payloadFiles(recorded.inputs["stdin"]),
    });
    for (const name of ["host-prepare", "database-roles", "hello-django", "hello-django-release"]) {
      expect(await sent(beside.find(command, name))).toEqual(await sent(alone.find(command, name)));
    }
  });

  test("have a database, logins, secrets, variables and a release number of their own", async () => {
    const config = { blog: app("blog", { database: { contract: "DB" }, environment: { COLOUR: "red" } }) };
    const recording = await run(config, { "slipway:environment": { COLOUR: "blue" } });
    const environment = await environmentOf(recording.find(command, "blog-release"));
    for (const line of [
      'DB_NAME="blog"',
      'DB_USER="blog_a"',
      'DB_PASSWORD="database-blog-password-a"',
      'SECRET_KEY="blog-secret-key"',
      'COLOUR="red"',
    ]) {
      expect(environment).toContain(line);
    }
    expect(await environmentOf(recording.find(command, "hello-django-release"))).toContain('COLOUR="blue"');
    const { "release.json": spec } = await payloadFiles(
      recording.find(command, "blog-release").inputs["stdin"],
    );
    expect(JSON.parse(spec ?? "")).toMatchObject({ app: "blog", release: 7, domains: ["blog.example.com"] });
    const { "pg_service.conf": service } = await payloadFiles(
      recording.find(command, "database-blog-roles").inputs["stdin"],
    );
    expect(service).toMatch(/\[admin\][^[]*dbname=blog\n[^[]*\[maintenance\][^[]*dbname=defaultdb\n/);
    expect(leaks(recording, secretTexts())).toEqual([]);
  });

  test("do not wait for each other, so that a refused release of one keeps none back", async () => {
    const recording = await run({ blog: app("blog", { database: {} }), wiki: app("wiki") });
    const names = ["hello-django", "blog", "wiki"];
    for (const name of names) {
      const { dependsOn } = recording.find("slipway:index:ComposeRelease", `${name}-release`);
      const all = [...dependsOn, ...recording.find(command, `${name}-release`).dependsOn].join("\n");
      for (const other of names.filter((each) => each !== name))
        expect(all).not.toMatch(`::${other}-release`);
    }
  });

  test("answer in the outputs by their names, while those of the first stay where they were", async () => {
    const { outputs } = await run({ blog: app("blog", { database: {} }), wiki: app("wiki") });
    const url = (of: unknown) => valueOf((of as { url: pulumi.Output<string> }).url);
    expect(await url(outputs)).toBe("http://203.0.113.7");
    const apps = outputs["apps"] as Record<string, object>;
    expect(Object.keys(apps)).toEqual(["hello-django", "blog", "wiki"]);
    expect(await url(apps["blog"])).toBe("https://blog.example.com");
    expect(Object.keys(apps["wiki"] ?? {})).toEqual(["url", "receipt"]);
    expect(Object.keys(apps["blog"] ?? {})).toEqual(["url", "databaseVariables", "receipt"]);
  });

  test("wait for a reserved address until all of them are there", async () => {
    const recording = await runStack(program, {
      stack: "production",
      config: { "slipway:apps": { blog: app("blog") } },
    });
    const { dependsOn } = recording.find("slipway:index:ReservedIpAssignment");
    for (const name of ["hello-django-release", "blog-release"]) {
      expect(dependsOn).toContain(recording.find(command, name).urn);
    }
  });

  test("have DNS records of their own, where their domains lie in the zone", async () => {
    const wiki = app("wiki", { domains: ["wiki.example.org"] });
    const recording = await run({ blog: app("blog"), wiki }, { "slipway:dns": { zone: "example.com" } });
    expect(recording.find("digitalocean:index/dnsRecord:DnsRecord").name).toBe("dns-blog.example.com");
  });

  test("may have a registry of their own, whose password shows nowhere", async () => {
    const registry = { server: "other.example", username: "reader", password: "token-of-the-blog" };
    const recording = await run({ blog: app("blog", { registry }) }, {}, ["slipway:apps"]);
    const files = await payloadFiles(recording.find(command, "blog-release").inputs["stdin"]);
    expect(files["registry.json"]).toContain("token-of-the-blog");
    expect(leaks(recording, ["token-of-the-blog"])).toEqual([]);
  });
});

test("without a first one: the cluster has no database but theirs, and the same name as before", async () => {
  const recording = await run(
    { blog: app("blog", { database: {} }) },
    {
      ...onlySeveral,
      "slipway:database": { protect: false },
    },
  );
  const types = recording.resources.map(({ type }) => type);
  expect(types).not.toContain("digitalocean:index/databaseDb:DatabaseDb");
  const cluster = "digitalocean:index/databaseCluster:DatabaseCluster::database";
  expect(recording.urns().join("\n")).toContain(`slipway:index:Postgres$${cluster}`);
  expect(Object.keys(recording.outputs)).toEqual(["address", "hostKeyFingerprint", "access", "apps"]);
});

describe("apps that cannot share a host are refused before anything is registered", () => {
  test("two at the bare address", async () => {
    const message = await refusal({ blog: app("blog", { domains: [] }) });
    expect(message).toContain(
      "slipway:apps.blog.domains[0] of stack staging: received nothing; accepted: a domain",
    );
    expect(message).toContain("slipway:app does already");
    expect(message).toContain(
      "pulumi config set --stack staging --path 'slipway:apps.blog.domains[0]' VALUE",
    );
  });

  test("two with one domain", async () => {
    const wiki = app("wiki", { domains: ["www.example.com", "blog.example.com"] });
    expect(await refusal({ blog: app("blog"), wiki })).toContain(
      'slipway:apps.wiki.domains[1] of stack staging: received "blog.example.com"; accepted: a domain of its own: slipway:apps.blog has this one',
    );
  });

  test("two with one name", async () => {
    const apps = { "hello-django": app("blog") };
    expect(await refusal(apps)).toContain(
      'slipway:apps.hello-django.name of stack staging: received "hello-django"',
    );
  });

  test("two with one database", async () => {
    const blog = app("blog", { database: { name: "hello_django" } });
    expect(await refusal({ blog })).toContain(
      'slipway:apps.blog.database.name of stack staging: received "hello_django"; accepted: a database of its own: slipway:app has',
    );
  });

  test("two whose compose files give a volume the same name", async () => {
    const named =
      "services: { web: { image: $WEB_IMAGE, volumes: ['media:/m'] } }\nvolumes: { media: { name: media } }\n";
    for (const name of ["blog", "wiki"]) writeFileSync(path.join(directory, name, "named.yml"), named);
    const apps = { blog: app("blog", { compose: "named.yml" }), wiki: app("wiki", { compose: "named.yml" }) };
    expect(await refusal(apps)).toContain(
      'slipway:apps.wiki.compose of stack staging: received "media"; accepted: volumes of its own, or an external one',
    );
  });

  test("a file or key of one is named as one of its own", async () => {
    expect(await refusal({ blog: app("blog", { healthy: 1 }) })).toContain(
      "pulumi config rm --stack staging --path 'slipway:apps.blog.healthy'",
    );
    expect(await refusal({ blog: app("blog", { releasesFile: "none.yaml" }) })).toContain(
      "pulumi config set --stack staging --path 'slipway:apps.blog.releasesFile' releases/staging/blog.yaml",
    );
  });
});
