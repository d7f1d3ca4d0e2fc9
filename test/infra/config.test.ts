import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { readConfig } from "../../infra/config";
import { configSchema } from "../../infra/configSchema";
import { valueOf } from "../support/recorder";

const minimal = { "slipway:app": { directory: "app" } };

/** As the Pulumi CLI hands it over: everything that is not a text is JSON. */
function read(values: Record<string, unknown>, secretKeys: string[] = []) {
  const texts = Object.entries(values).map(([key, value]) => [
    key,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  pulumi.runtime.setAllConfig(Object.fromEntries(texts) as Record<string, string>, secretKeys);
  return readConfig("staging");
}

function refusal(values: Record<string, unknown>, secretKeys?: string[]): string {
  try {
    read({ ...minimal, ...values }, secretKeys);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("the configuration was to be refused");
}

describe("a configuration with nothing but the app", () => {
  test("is a droplet without a database", () => {
    const config = read(minimal);
    expect(config.host).toEqual({ reservedIp: false });
    expect(config.database).toBeUndefined();
    expect(config.region).toBe("fra1");
    expect(config.apps.map(({ path, releasesFile }) => [path, releasesFile])).toEqual([
      ["app", "releases/staging.yaml"],
    ]);
  });

  test("an empty database has the defaults, and other people's keys are not ours", () => {
    const config = read({ ...minimal, "slipway:database": {}, "digitalocean:token": "t" });
    expect(config.database).toEqual({ contract: "SQL" });
  });
});

test("values arrive as they were meant: numbers of the environment as text, scalars as what they are", () => {
  const config = read({
    ...minimal,
    "slipway:environment": { DEBUG: 0, FLAG: true, NAME: "007" },
    "slipway:requireDigests": "false",
    "slipway:keepReleases": "5",
    "slipway:database": { version: 17, nodes: 2 },
    "slipway:releasesFile": "elsewhere.yaml",
  });
  expect(config.apps[0]?.environment).toEqual({ DEBUG: "0", FLAG: "true", NAME: "007" });
  expect([config.requireDigests, config.keepReleases, config.apps[0]?.releasesFile]).toEqual([
    false,
    5,
    "elsewhere.yaml",
  ]);
  expect(config.database).toMatchObject({ version: "17", nodes: 2 });
});

test("secrets are secret Outputs", async () => {
  const config = read(
    {
      ...minimal,
      "slipway:secrets": { SECRET_KEY: "key", PIN: 1234 },
      "slipway:registry": { server: "r.example", username: "reader", password: "token" },
      "slipway:host": {
        existing: { address: "203.0.113.7", hostKey: "ssh-ed25519 AAAA", privateKey: "private" },
      },
    },
    ["slipway:secrets", "slipway:registry", "slipway:host"],
  );
  const [app] = config.apps;
  if (app === undefined) throw new Error("the app is missing");
  const { secrets, registry } = app;
  const password = registry?.password as pulumi.Output<string> | undefined;
  const outputs = [secrets["SECRET_KEY"], password, config.host.existing?.privateKey];
  for (const output of outputs) expect(await pulumi.isSecret(output ?? pulumi.output(""))).toBe(true);
  expect(await valueOf(secrets["PIN"] ?? pulumi.output(""))).toBe("1234");
});

describe("what is wrong is told with key, stack, value, what is accepted, and the command", () => {
  test.each<[Record<string, unknown>, string, string, string, string]>([
    [{ "slipway:app": undefined }, "app", "nothing", "an object with at least `directory`", "set"],
    [{ "slipway:host": { size: 4 } }, "host.size", "4", "a droplet size", "set"],
    [{ "slipway:host": "big" }, "host", '"big"', "an object", "set"],
    [
      { "slipway:host": { sshFrom: "203.0.113.7" } },
      "host.sshFrom",
      '"203.0.113.7"',
      "a list of networks",
      "set",
    ],
    [{ "slipway:host": { sshFrom: [7] } }, "host.sshFrom[0]", "7", "networks such as", "set"],
    [{ "slipway:host": { sise: "s" } }, "host.sise", "an unknown key", "no such key", "rm"],
    [{ "slipway:databse": {} }, "databse", "an unknown key", "one of region, host, database", "rm"],
    [{ "slipway:database": { nodes: "two" } }, "database.nodes", '"two"', "1, 2 or 3", "set"],
    [
      { "slipway:database": { pool: { mode: "fast", size: 1 } } },
      "database.pool.mode",
      '"fast"',
      "session, transaction",
      "set",
    ],
    [
      { "slipway:database": { contract: "sql" } },
      "database.contract",
      '"sql"',
      "SQL, DB, POSTGRES, DATABASE_URL",
      "set",
    ],
    [{ "slipway:environment": { NAME: ["a"] } }, "environment.NAME", "an object or list", "a text", "set"],
    [{ "slipway:keepReleases": 0 }, "keepReleases", "0", "a whole number from 1", "set"],
    [{ "slipway:requireDigests": "yes" }, "requireDigests", '"yes"', "true or false", "set"],
    [
      { "slipway:acme": { directory: "le" } },
      "acme.directory",
      '"le"',
      "the URL of an ACME directory",
      "set",
    ],
  ])("%j", (values, path, received, accepted, command) => {
    const message = refusal(values);
    expect(message).toContain(
      `slipway:${path} of stack staging: received ${received}; accepted: ${accepted}`,
    );
    expect(message).toContain(`pulumi config ${command} --stack staging --path 'slipway:${path}'`);
  });

  test("a name that is no variable", () => {
    expect(refusal({ "slipway:environment": { "MY-NAME": "a" } })).toContain(
      "slipway:environment.MY-NAME of stack staging",
    );
  });

  test("all problems at once", () => {
    expect(refusal({ "slipway:region": 7, "slipway:host": { size: 4 } })).toMatch(
      /slipway:region[^]*slipway:host\.size/,
    );
  });
});

describe("secrets", () => {
  test.each([
    [{ "slipway:secrets": { SECRET_KEY: "hunter2" } }, "secrets.SECRET_KEY"],
    [{ "slipway:registry": { server: "r", username: "u", password: "hunter2" } }, "registry.password"],
    [{ "slipway:host": { privateKey: "hunter2" } }, "host.privateKey"],
  ])("a secret in the clear is refused without being shown: %#", (values, path) => {
    const message = refusal(values);
    expect(message).toContain(`slipway:${path} of stack staging: received a value in the clear`);
    expect(message).toContain(`pulumi config set --stack staging --secret --path 'slipway:${path}'`);
    expect(message).not.toContain("hunter2");
  });

  test("a wrong secret is not shown either", () => {
    const message = refusal({ "slipway:secrets": { KEY: ["hunter2"] } }, ["slipway:secrets"]);
    expect(message).toContain("slipway:secrets.KEY of stack staging: received a secret value");
    expect(message).not.toContain("hunter2");
  });
});

test("Pulumi.staging.yaml shows every key that there is", () => {
  const text = readFileSync("Pulumi.staging.yaml", "utf8");
  const { host, database, ...others } = configSchema.shape;
  const keys = [
    ...["host", "database", ...Object.keys(others)].map((key) => `slipway:${key}`),
    ...Object.keys(host.unwrap().shape),
    ...Object.keys(database.unwrap().shape),
  ];
  expect(keys.filter((key) => !text.includes(`${key}:`))).toEqual([]);
});

describe("several apps", () => {
  const blog = { directory: "blog" };

  test("have a release file each, and what the stack says of all", () => {
    const registry = { server: "r.example", username: "reader", password: "token" };
    const config = read(
      {
        ...minimal,
        "slipway:apps": { wiki: { ...blog, database: {} }, blog: { ...blog, releasesFile: "b.yaml" } },
        "slipway:database": { contract: "DB" },
        "slipway:registry": registry,
      },
      ["slipway:registry"],
    );
    expect(config.apps.map(({ path, key, releasesFile }) => [path, key, releasesFile])).toEqual([
      ["app", undefined, "releases/staging.yaml"],
      ["apps.blog", "blog", "b.yaml"],
      ["apps.wiki", "wiki", "releases/staging/wiki.yaml"],
    ]);
    expect(config.apps[1]?.description).toEqual({ directory: "blog", name: "blog" });
    expect(config.apps.map(({ database }) => database?.contract)).toEqual(["DB", undefined, "DB"]);
    expect(config.apps.map(({ registry }) => registry?.username)).toEqual(["reader", "reader", "reader"]);
  });

  test.each<[Record<string, unknown>, string, string, string]>([
    [{ "slipway:apps": { Blog: blog } }, "apps.Blog", 'received the name "Blog"', "rm"],
    [{ "slipway:apps": { blog: { ...blog, name: "b" } } }, "apps.blog.name", "its key, blog", "rm"],
    [{ "slipway:apps": { blog: {} } }, "apps.blog.directory", "the directory of the app", "set"],
    [
      { "slipway:apps": { blog: { ...blog, database: {} } } },
      "apps.blog.database",
      "nothing without slipway:database",
      "rm",
    ],
    [
      { "slipway:apps": { blog: { ...blog, database: { nodes: 2 } } } },
      "apps.blog.database.nodes",
      "an unknown key",
      "rm",
    ],
    [
      { "slipway:apps": { blog: { ...blog, releasesFile: "releases/staging.yaml" } } },
      "apps.blog.releasesFile",
      "a file for each app",
      "set",
    ],
    [
      { "slipway:app": undefined, "slipway:apps": { blog }, "slipway:environment": { A: "b" } },
      "environment.A",
      "each app has its own: slipway:apps.<name>.environment.A",
      "rm",
    ],
    [
      {
        "slipway:app": undefined,
        "slipway:apps": { blog },
        "slipway:database": { loginGeneration: 2 },
        "slipway:releasesFile": "b.yaml",
        "slipway:secretKeyGenerations": [2, 1],
      },
      "secretKeyGenerations",
      "nothing without slipway:app",
      "rm",
    ],
  ])("%j", (values, path, text, command) => {
    const message = refusal(values);
    expect(message).toContain(`slipway:${path} of stack staging: received `);
    expect(message).toContain(text);
    expect(message).toContain(`pulumi config ${command} --stack staging --path 'slipway:${path}'`);
  });

  test("a secret of one in the clear is refused without being shown", () => {
    const message = refusal({ "slipway:apps": { blog: { ...blog, secrets: { KEY: "hunter2" } } } });
    expect(message).toContain(
      "slipway:apps.blog.secrets.KEY of stack staging: received a value in the clear",
    );
    expect(message).toContain(
      "pulumi config set --stack staging --secret --path 'slipway:apps.blog.secrets.KEY'",
    );
    expect(message).not.toContain("hunter2");
  });
});

test("an existing server takes nothing that only a droplet has", () => {
  const existing = { address: "203.0.113.7", hostKey: "ssh-ed25519 AAAA", privateKey: "private" };
  const message = refusal(
    { "slipway:host": { existing, size: "s-1vcpu-2gb", reservedIp: true }, "slipway:database": {} },
    ["slipway:host"],
  );
  for (const path of ["host.size", "host.reservedIp", "database"]) {
    expect(message).toContain(`pulumi config rm --stack staging --path 'slipway:${path}'`);
  }
});
