/** @jest-environment ./test/support/rejections.ts */
// Not proven here: that DigitalOcean accepts the inputs, and that its server understands the SQL. The latter is what
// test/sandbox/databaseRoles.test.ts shows on a real PostgreSQL.
import * as pulumi from "@pulumi/pulumi";
import { Postgres, type PostgresArgs } from "../../../components/digitalocean";
import type { Host } from "../../../components/release";
import { answers, calls, secretTexts, secretValues } from "../../support/cloud";
import { payloadFiles } from "../../support/payload";
import { leaks, record, recordFailure, valueOf, type Answers } from "../../support/recorder";

const host = (): Host => ({
  connection: pulumi.secret({
    host: "203.0.113.7",
    user: "deploy",
    privateKey: "private",
    hostKey: "ssh-ed25519 AAAA",
  }),
  identity: pulumi.output("101"),
  ready: [],
});
const make = (args: Partial<PostgresArgs>) => () => ({
  database: new Postgres("database", {
    host: host(),
    region: "fra1",
    vpcUuid: "vpc-uuid",
    allowedTags: ["slipway-test-host"],
    database: "shop",
    ...args,
  }),
});
const run = (args: Partial<PostgresArgs> = {}, answer: Answers = answers) =>
  record(make(args), { answers: answer, calls });
const cluster = "digitalocean:index/databaseCluster:DatabaseCluster";
const command = "command:remote:Command";

describe("a Postgres with the defaults", () => {
  test("is these resources", async () => {
    const prefix = "urn:pulumi:test::slipway::slipway:index:Postgres";
    expect((await run()).urns()).toEqual([
      `${prefix}$digitalocean:index/databaseCluster:DatabaseCluster::database`,
      `${prefix}$digitalocean:index/databaseDb:DatabaseDb::database-database`,
      `${prefix}$digitalocean:index/databaseFirewall:DatabaseFirewall::database-firewall`,
      `${prefix}$random:index/randomPassword:RandomPassword::database-password-a`,
      `${prefix}$random:index/randomPassword:RandomPassword::database-password-b`,
      `${prefix}$slipway:index:RemoteScript$command:remote:Command::database-roles`,
      `${prefix}$slipway:index:RemoteScript::database-roles`,
      `${prefix}::database`,
    ]);
  });

  test("asks for one small node in the VPC", async () => {
    expect((await run()).find(cluster).inputs).toEqual({
      name: "slipway-test-database",
      engine: "pg",
      version: "17",
      region: "fra1",
      size: "db-s-1vcpu-1gb",
      nodeCount: 1,
      privateNetworkUuid: "vpc-uuid",
      tags: ["project:slipway", "stack:test"],
    });
  });

  test("protects cluster and database, and goes as a whole", async () => {
    const recording = await run();
    const urn = recording.find(cluster).urn;
    const database = recording.find("digitalocean:index/databaseDb:DatabaseDb");
    expect(recording.find(cluster).protect).toBe(true);
    expect([database.protect, database.deletedWith]).toEqual([true, urn]);
    // Another name, or none: the tables stay where they are.
    expect(database.retainOnDelete).toBe(true);
  });

  test("lets the tagged hosts in and nobody else; removing the rules never opens the cluster", async () => {
    const recording = await run();
    const firewall = recording.find("digitalocean:index/databaseFirewall:DatabaseFirewall");
    expect(firewall.inputs).toEqual({
      clusterId: "cluster-uuid",
      rules: [{ type: "tag", value: "slipway-test-host" }],
    });
    expect(firewall.deletedWith).toBe(recording.find(cluster).urn);
  });

  test("makes the roles when the firewall lets the host in", async () => {
    const recording = await run();
    const firewall = recording.find("digitalocean:index/databaseFirewall:DatabaseFirewall");
    const database = recording.find("digitalocean:index/databaseDb:DatabaseDb");
    expect(recording.find(command).dependsOn).toContain(database.urn);
    // A child is registered after its parent, and its parent after what that depends on.
    expect(recording.find("slipway:index:RemoteScript").dependsOn).toContain(firewall.urn);
  });

  test("sends the admin's login over stdin, verified by the CA, and no password of an app", async () => {
    const files = await payloadFiles((await run()).find(command).inputs["stdin"]);
    expect(files["pg_service.conf"]).toBe(
      "[admin]\nhost=private-db.example.net\nport=25060\ndbname=shop\nuser=doadmin\n" +
        `password=${secretValues.adminPassword}\nsslmode=verify-full\nsslrootcert=database-ca.crt\n`,
    );
    expect(files["database-ca.crt"]).toContain("BEGIN CERTIFICATE");
    expect(files["variables.psql"]).toContain("\\set owner 'shop_owner'\n\\set login_a 'shop_a'\n");
    expect(files["variables.psql"]).toMatch(/\\set verifier_b 'SCRAM-SHA-256\$4096:/);
    expect(JSON.stringify(files)).not.toContain(secretValues.passwordA);
  });

  test("connects the app as login a, directly, in secret", async () => {
    const { database } = (await run()).outputs;
    expect(await valueOf(database.connection)).toEqual({
      host: "private-db.example.net",
      port: 25060,
      database: "shop",
      user: "shop_a",
      password: secretValues.passwordA,
      ca: expect.stringContaining("BEGIN CERTIFICATE") as string,
    });
    expect(await pulumi.isSecret(database.connection)).toBe(true);
  });

  test("keeps every password secret", async () => {
    expect(leaks(await run(), secretTexts())).toEqual([]);
  });
});

describe("a new password", () => {
  const generations = async (loginGeneration: number) => {
    const recording = await run({ loginGeneration });
    const keepers = (login: string) =>
      (
        recording.find("random:index/randomPassword:RandomPassword", `database-password-${login}`).inputs[
          "keepers"
        ] as {
          generation: string;
        }
      ).generation;
    const { user } = await valueOf(recording.outputs.database.connection);
    return [user, keepers("a"), keepers("b")];
  };

  test("goes to the login that is not in use, and the running release keeps its own", async () => {
    expect(await generations(1)).toEqual(["shop_a", "1", "0"]);
    expect(await generations(2)).toEqual(["shop_b", "1", "2"]);
    expect(await generations(3)).toEqual(["shop_a", "3", "2"]);
  });
});

describe("a pool", () => {
  const pool = { mode: "transaction", size: 10 } as const;

  test("takes whichever login comes, and carries the app but not its migrations", async () => {
    const recording = await run({ pool });
    expect(recording.find("digitalocean:index/databaseConnectionPool:DatabaseConnectionPool").inputs).toEqual(
      {
        clusterId: "cluster-uuid",
        name: "shop_pool",
        dbName: "shop",
        mode: "transaction",
        size: 10,
      },
    );
    const { database } = recording.outputs;
    expect(await valueOf(database.connection)).toMatchObject({
      port: 25061,
      database: "shop_pool",
      user: "shop_a",
    });
    expect(await valueOf(database.directConnection)).toMatchObject({ port: 25060, database: "shop" });
  });
});

describe("variables", () => {
  test.each([
    ["SQL", ["SQL_DATABASE", "SQL_HOST", "SQL_PORT", "SQL_USER"], ["SQL_PASSWORD"]],
    ["DATABASE_URL", [], ["DATABASE_URL"]],
  ] as const)("%s: only what may be shown is plain", async (contract, plain, secret) => {
    const variables = (await run()).outputs.database.variables(contract);
    expect(Object.keys(variables.plain).sort()).toEqual(["PGSSLMODE", "PGSSLROOTCERT", ...plain]);
    expect(Object.keys(variables.secret)).toEqual(secret);
    for (const value of Object.values(variables.plain)) expect(await pulumi.isSecret(value)).toBe(false);
    for (const value of Object.values(variables.secret)) expect(await pulumi.isSecret(value)).toBe(true);
  });

  test("a contract of the caller's own", async () => {
    const { plain, secret } = (await run()).outputs.database.variables({
      PGHOST: "host",
      MY_PASSWORD: "password",
    });
    expect(await valueOf(pulumi.all({ ...plain, ...secret }))).toEqual({
      PGHOST: "private-db.example.net",
      PGSSLMODE: "verify-full",
      PGSSLROOTCERT: "/etc/slipway/database-ca.crt",
      MY_PASSWORD: secretValues.passwordA,
    });
  });
});

describe("bad arguments are refused before anything is registered", () => {
  test.each<[Partial<PostgresArgs>, string, string, string]>([
    [{ region: "eu" }, "region", '"eu"', "doctl databases options regions"],
    [{ database: "my-shop" }, "database", '"my-shop"', "choose another name"],
    [{ database: "defaultdb" }, "database", '"defaultdb"', "choose another name"],
    [{ database: "pg_shop" }, "database", '"pg_shop"', "choose another name"],
    [{ version: "17.2" }, "version", '"17.2"', "doctl databases options versions"],
    [{ size: "" }, "size", '""', "doctl databases options slugs"],
    [{ nodeCount: 4 }, "nodeCount", "4", "one standby"],
    [{ allowedTags: [] }, "allowedTags", "[]", "open to everybody"],
    [{ extensions: ["pg_trgm; DROP"] }, "extensions[0]", '"pg_trgm; DROP"', "pg_available_extensions"],
    [{ pool: { mode: "transaction", size: 0 } }, "pool.size", "0", "smallest cluster"],
    [{ loginGeneration: 0 }, "loginGeneration", "0", "count it up"],
  ])("%j", async (args, path, received, cure) => {
    const { message, urns } = await recordFailure(make(args), { answers, calls });
    expect(message).toContain('Postgres "database"');
    expect(message).toContain(`${path}: received ${received}`);
    expect(message).toContain(cure);
    expect(urns).toEqual([]);
  });
});

test("an admin's password that a service file cannot hold is refused before a command is sent, unseen", async () => {
  const broken: Answers = {
    ...answers,
    [cluster]: (name, inputs) => ({
      ...answers[cluster]?.(name, inputs),
      password: pulumi.secret("two\nlines"),
    }),
  };
  const { message, urns } = await recordFailure(make({}), { answers: broken, calls });
  expect(message).toContain(
    "the database's password cannot stand in a service file: received a secret value",
  );
  expect(message).not.toContain("lines\n");
  expect(urns.join()).not.toContain(command);
});
