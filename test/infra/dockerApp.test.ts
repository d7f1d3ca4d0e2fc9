/** @jest-environment ./test/support/rejections.ts */
// The program of this repository with its own stack files. Not proven here: that the clouds accept it (`pulumi up`) and
// that the app serves (the rehearsal).
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import type { AppAccess } from "../../components/release";
import program from "../../infra/index";
import { keyPair, secretTexts, secretValues } from "../support/cloud";
import { payloadFiles } from "../support/payload";
import { leaks, valueOf, type Recorded } from "../support/recorder";
import { failStack, runStack, shipped } from "../support/stack";

jest.mock("../../components/release/checkConnection", () => ({
  checkConnection: (connection: unknown) => connection,
}));

// The SDK says on stdout what it would say to its engine.
beforeAll(() => void jest.spyOn(console, "log").mockImplementation());

const command = "command:remote:Command";
const release = "hello-django-release";
const run = (options: Partial<Parameters<typeof runStack>[1]> = {}) =>
  runStack(program, { stack: "staging", ...options });
const environmentOf = async (recorded: Recorded) => {
  const { "app/.env": text } = await payloadFiles(recorded.inputs["stdin"]);
  return Object.fromEntries(
    (text ?? "").split("\n").flatMap((line) => {
      const [, name, value] = /^([A-Z_]+)="?(.*?)"?$/.exec(line) ?? [];
      return name === undefined ? [] : [[name, value]];
    }),
  ) as Record<string, string>;
};

describe.each(["staging", "production"] as const)("%s", (stack) => {
  // A URN is an identity: another one deletes what it named. Who changes this list adds an alias, or means to.
  test("has the resources that are checked in", async () => {
    const expected = readFileSync(`test/infra/urns/${stack}.txt`, "utf8").trim().split("\n");
    expect((await run({ stack })).urns()).toEqual(expected);
  });

  test("shows no secret in the clear", async () => {
    const recording = await run({ stack });
    expect(leaks(recording, secretTexts())).toEqual([]);
  });

  test("can be previewed before anything exists", async () => {
    const recording = await run({ stack, preview: true });
    expect(recording.urns().length).toBeGreaterThan(20);
  });
});

describe("what holds data", () => {
  const held = async (stack: "staging" | "production") => {
    const { resources } = await run({ stack });
    const data = /databaseCluster|databaseDb:|volume:Volume|reservedIp:/;
    return resources.filter(({ type }) => data.test(type)).map(({ name, protect }) => [name, protect]);
  };

  test("is protected in production", async () => {
    expect(await held("production")).toEqual(
      expect.arrayContaining([
        ["database", true],
        ["database-database", true],
        ["host-media", true],
        ["address", true],
      ]),
    );
  });

  test("and not in staging, by configuration alone", async () => {
    expect(await held("staging")).toEqual([
      ["database", false],
      ["database-database", false],
    ]);
  });
});

describe("production differs from staging", () => {
  test("by sizes, a standby and backups", async () => {
    const recording = await run({ stack: "production" });
    expect(recording.find("digitalocean:index/droplet:Droplet").inputs).toMatchObject({
      size: "s-2vcpu-4gb",
      backups: true,
      name: "slipway-production-host",
    });
    expect(recording.find("digitalocean:index/databaseCluster:DatabaseCluster").inputs).toMatchObject({
      nodeCount: 2,
      name: "slipway-production-database",
    });
  });

  test("by an address that moves when the app answers on a new machine", async () => {
    const recording = await run({ stack: "production" });
    const assignment = recording.find("slipway:index:ReservedIpAssignment");
    const shippedRelease = recording.find(command, release);
    expect(assignment.dependsOn).toContain(shippedRelease.urn);
    expect(await valueOf(recording.outputs["address"] as pulumi.Output<string>)).toBe("198.51.100.9");
  });

  test("by refusing a tag", async () => {
    const tagged = { release: 1, images: { web: "r.example/shop:latest", nginx: "r.example/nginx:1" } };
    const { message, urns } = await failStack(program, { stack: "production", release: tagged });
    expect(message).toContain('received "r.example/shop:latest"');
    expect(message).toContain("slipway release set --stack production web=");
    expect(urns).toEqual([]);
  });
});

describe("a release", () => {
  test("gets the database, its CA, the address and a secret key", async () => {
    const recording = await run();
    const shippedRelease = recording.find(command, release);
    expect(await environmentOf(shippedRelease)).toMatchObject({
      SQL_HOST: "private-db.example.net",
      SQL_PORT: "25060",
      SQL_DATABASE: "hello_django",
      SQL_USER: "hello_django_a",
      SQL_PASSWORD: secretValues.passwordA,
      PGSSLMODE: "verify-full",
      PGSSLROOTCERT: "/etc/slipway/database-ca.crt",
      DIGITAL_OCEAN_IP_ADDRESS: "203.0.113.7",
      SECRET_KEY: secretValues.secretKey,
      WEB_IMAGE: shipped.images.web,
    });
    const files = await payloadFiles(shippedRelease.inputs["stdin"]);
    expect(files["app/files/database-ca.crt"]).toContain("BEGIN CERTIFICATE");
  });

  test("is not shipped before the roles of its database are made", async () => {
    const recording = await run();
    expect(recording.find(command, release).dependsOn).toContain(
      recording.find(command, "database-roles").urn,
    );
  });

  test("what the stack sets wins, and then no secret key is made", async () => {
    const recording = await run({
      config: {
        "slipway:environment": { SQL_PORT: 6432 },
        "slipway:secrets": { SECRET_KEY: "set by hand" },
      },
      secretKeys: ["slipway:secrets"],
    });
    expect(await environmentOf(recording.find(command, release))).toMatchObject({
      SQL_PORT: "6432",
      SECRET_KEY: "set by hand",
    });
    expect(recording.resources.map(({ name }) => name)).not.toContain("secret-key");
    expect(leaks(recording, ["set by hand"])).toEqual([]);
  });

  test("migrates past the pool", async () => {
    const recording = await run({
      config: { "slipway:database": { pool: { mode: "transaction", size: 10 } } },
    });
    const shippedRelease = recording.find(command, release);
    expect(await environmentOf(shippedRelease)).toMatchObject({
      SQL_PORT: "25061",
      SQL_DATABASE: "hello_django_pool",
      DIRECT_SQL_PORT: "25060",
      DIRECT_SQL_DATABASE: "hello_django",
    });
    const files = await payloadFiles(shippedRelease.inputs["stdin"]);
    const { migrate } = JSON.parse(files["release.json"] ?? "") as { migrate: { command: string[] } };
    expect(migrate.command.slice(0, 2)).toEqual(["sh", "-c"]);
    expect(migrate.command[2]).toMatch(/^export .*SQL_PORT="\$DIRECT_SQL_PORT".*; exec "\$@"$/);
    expect(migrate.command.slice(4)).toEqual(["python", "manage.py", "migrate", "--noinput"]);
  });

  test("with domains: names that lead here come first, and HTTPS is where it answers", async () => {
    const recording = await run({
      config: {
        "slipway:app": { directory: "examples/django-docker", domains: ["shop.example.com", "example.org"] },
        "slipway:dns": { zone: "example.com" },
      },
    });
    const record = recording.find("digitalocean:index/dnsRecord:DnsRecord");
    expect(record.inputs).toMatchObject({ domain: "example.com", name: "shop", value: "203.0.113.7" });
    expect(recording.find("slipway:index:ComposeRelease").dependsOn).toContain(record.urn);
    expect(await valueOf(recording.outputs["url"] as pulumi.Output<string>)).toBe("https://shop.example.com");
  });
});

describe("outputs", () => {
  test("of a shipped stack", async () => {
    const { outputs } = await run();
    expect(Object.keys(outputs)).toEqual([
      "url",
      "address",
      "hostKeyFingerprint",
      "access",
      "databaseVariables",
      "receipt",
    ]);
    const access = outputs["access"] as pulumi.Output<Record<string, AppAccess>>;
    expect(await pulumi.isSecret(access)).toBe(true);
    expect((await valueOf(access))["hello-django"]).toMatchObject({
      target: "compose",
      app: "hello-django",
      managedDatabase: true,
      connection: { host: "203.0.113.7", user: "deploy", privateKey: keyPair("host-deploy-key").private },
    });
    const variables = outputs["databaseVariables"] as pulumi.Output<Record<string, string>>;
    expect(await valueOf(outputs["url"] as pulumi.Output<string>)).toBe("http://203.0.113.7");
    expect(await pulumi.isSecret(variables)).toBe(true);
    expect(await valueOf(variables)).toMatchObject({ SQL_HOST: "private-db.example.net" });
  });

  test("before the first release there is a host and a database, and nothing is shipped", async () => {
    const recording = await run({ release: { release: 0, images: {} } });
    expect(Object.keys(recording.outputs)).not.toContain("receipt");
    expect(recording.resources.filter(({ type }) => type === command).map(({ name }) => name)).toEqual(
      expect.arrayContaining(["host-prepare", "database-roles"]),
    );
    expect(recording.resources.map(({ type }) => type)).not.toContain("slipway:index:AppSlot");
  });
});

describe("what is wrong is refused before anything is registered", () => {
  test.each<[object, string, string]>([
    [{ "slipway:app": { directory: "nowhere" } }, "name in nowhere/slipway.yaml", "the name of the app"],
    [
      { "slipway:app": { directory: "examples/django-docker", compose: "no.yml" } },
      'slipway:app.compose of stack staging: received "no.yml"',
      "pulumi config set --stack staging --path 'slipway:app.compose'",
    ],
    [
      { "slipway:app": { directory: "examples/django-docker", healthy: true } },
      "slipway:app.healthy of stack staging",
      "pulumi config rm --stack staging --path 'slipway:app.healthy'",
    ],
    [
      { "slipway:app": { directory: "examples/django-docker", health: { path: 7 } } },
      "slipway:app.health.path of stack staging: received 7",
      "pulumi config set --stack staging --path 'slipway:app.health.path'",
    ],
    [
      { "slipway:releasesFile": "releases/none.yaml" },
      'slipway:releasesFile of stack staging: received "releases/none.yaml"',
      "slipway release set",
    ],
    [
      { "slipway:acme": { directory: "https://ca.example/dir", caCertificateFile: "none.pem" } },
      'slipway:acme.caCertificateFile of stack staging: received "none.pem", which cannot be read; accepted: the path of a PEM',
      "pulumi config set --stack staging --path 'slipway:acme.caCertificateFile' VALUE",
    ],
  ])("%j", async (config, expected, cure) => {
    const { message, urns } = await failStack(program, { stack: "staging", config: { ...config } });
    expect(message).toContain(expected);
    expect(message).toContain(cure);
    expect(urns).toEqual([]);
  });

  test("a zone that none of the domains lies in", async () => {
    const { message } = await failStack(program, {
      stack: "staging",
      config: { "slipway:dns": { zone: "example.com" } },
    });
    expect(message).toContain('slipway:dns.zone of stack staging: received "example.com"');
  });
});

describe("every generation that a stack names", () => {
  const host = { generation: 2, hostKeyGenerations: [2, 1], deployKeyGenerations: [1, 2] };
  const config = {
    "slipway:host": host,
    "slipway:database": { loginGeneration: 3, closedLoginGeneration: 2 },
    "slipway:secretKeyGenerations": [2, 1],
  };

  test("reaches the machine and its keys", async () => {
    const names = (await run({ config })).resources.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["host-2", "host-host-key-2", "host-deploy-key-2"]));
    expect(names).not.toContain("host-media");
  });

  test("reaches the database, where the closed login is the one that waits", async () => {
    const roles = (await run({ config })).find(command, "database-roles");
    const { "variables.psql": variables } = await payloadFiles(roles.inputs["stdin"]);
    expect(variables).toContain("\\set active 'hello_django_a'\n");
    expect(variables).toContain("\\set closed 'hello_django_b'\n");
  });

  test("reaches the app: the key in use, and the earlier one to read with", async () => {
    const environment = await environmentOf((await run({ config })).find(command, release));
    expect(environment).toMatchObject({
      SECRET_KEY: "secret-key-2",
      SECRET_KEY_FALLBACKS: secretValues.secretKey,
    });
    expect(await environmentOf((await run()).find(command, release))).not.toHaveProperty(
      "SECRET_KEY_FALLBACKS",
    );
  });
});
