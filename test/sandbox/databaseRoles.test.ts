// The roles of a database on a real PostgreSQL 17 with TLS, made by an admin that is no superuser. Not proven here: that
// DigitalOcean's admin may do what this one may.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { docker, dockerExec } from "../../cli/sandbox/bodies/docker";
import { createCluster, createDatabase, createPool, type Cluster } from "../../cli/sandbox/bodies/postgres";
import { Sandbox } from "../../cli/sandbox/bodies/sandbox";
import {
  renderServiceFile,
  renderVariables,
  roleVariables,
  type Login,
} from "../../components/digitalocean/databaseRoles";
import { encodePayload, readScript } from "../../components/release/payload";
import { describeSandbox } from "./support";

const minutes = 60_000;
const directory = mkdtempSync(path.join(tmpdir(), "roles-test-"));
const sandbox = new Sandbox({ name: "roles-test", dir: directory });
let cluster: Cluster;
let container: string;

interface Run {
  readonly passwords: Readonly<Record<Login, string>>;
  readonly active?: Login;
  readonly extensions?: readonly string[];
  readonly adminPassword?: string;
  /** Makes this database first, as for one more app of the cluster. */
  readonly another?: string;
}

/** Runs databaseRoles.sh where the cluster runs, as a host would, and gives the receipt. */
async function makeRoles(run: Run): Promise<Record<string, unknown>> {
  const database = run.another ?? "shop";
  const variables = roleVariables(database, run.passwords, run.active ?? "a", run.extensions ?? []);
  const { privateHost: host, port, user, password } = cluster;
  const admin = { host, port, user, password: run.adminPassword ?? password, database };
  const payload = await encodePayload({
    "databaseRoles.sh": readScript("databaseRoles.sh"),
    "databaseRoles.sql": readScript("databaseRoles.sql"),
    ...(run.another && { "createDatabase.sql": readScript("createDatabase.sql") }),
    "pg_service.conf": renderServiceFile(admin, run.another && cluster.database),
    "variables.psql": renderVariables(variables),
    "database-ca.crt": cluster.ca,
  });
  const script =
    "set -e; d=$(mktemp -d); base64 -d | tar -xf - -C $d; exec bash $d/databaseRoles.sh $d </dev/null";
  const output = await dockerExec(container, ["sh", "-c", script], { input: payload });
  return JSON.parse(output.trim().split("\n").at(-1) ?? "") as Record<string, unknown>;
}

function query(login: string, password: string, sql: string, database = "shop", port = cluster.port) {
  const target = `host=${cluster.privateHost} port=${port} user=${login} dbname=${database} sslmode=verify-full sslrootcert=/dev/stdin`;
  const command = ["exec", "-i", "-e", `PGPASSWORD=${password}`, container, "psql", "-qAt", target];
  return docker([...command, "-v", "ON_ERROR_STOP=1", "-c", sql], { input: cluster.ca }).then((out) =>
    out.trim(),
  );
}

const first = { a: "first-of-a", b: "first-of-b" };

describeSandbox("the roles of a database", () => {
  beforeAll(async () => {
    await sandbox.down();
    cluster = await createCluster(sandbox, { name: "roles", version: "17", size: "db-s-1vcpu-1gb" });
    await createDatabase(sandbox, cluster.id, "shop");
    container = (await sandbox.get("database", cluster.id)).container;
    const everything = "ALTER SYSTEM SET log_statement = 'all';\nSELECT pg_reload_conf();";
    await dockerExec(container, ["postgres.sh", "sql", "postgres"], { input: everything });
  }, 10 * minutes);

  afterAll(async () => {
    await sandbox.down();
    rmSync(directory, { recursive: true, force: true });
  }, 2 * minutes);

  test("a wrong admin's password is refused at once and not shown", async () => {
    const started = Date.now();
    const attempt = makeRoles({ passwords: first, adminPassword: "AVNS_wrong" });
    await expect(attempt).rejects.toThrow(/does not let this host in as its admin.*authentication failed/s);
    await expect(attempt).rejects.not.toThrow("AVNS_wrong");
    expect(Date.now() - started).toBeLessThan(10_000);
  });

  test("are made, also a second time, and the receipt names them", async () => {
    const receipt = { result: "ready", database: "shop", owner: "shop_owner", active: "shop_a" };
    const extensions = ["pg_trgm", "uuid-ossp"];
    expect(await makeRoles({ passwords: first, extensions })).toMatchObject({ ...receipt, extensions });
    expect(await makeRoles({ passwords: first, extensions })).toMatchObject({ ...receipt, extensions });
  });

  test("a table made by one login belongs to the owner, and the other may change and drop it", async () => {
    await query("shop_a", first.a, "CREATE TABLE orders (id int); INSERT INTO orders VALUES (1)");
    expect(
      await query("shop_a", first.a, "SELECT tableowner FROM pg_tables WHERE tablename = 'orders'"),
    ).toBe("shop_owner");
    await query("shop_b", first.b, "ALTER TABLE orders ADD note text; UPDATE orders SET note = 'b'");
    expect(await query("shop_a", first.a, "SELECT note FROM orders")).toBe("b");
    await query(
      "shop_b",
      first.b,
      "DROP TABLE orders; CREATE SCHEMA reports; CREATE EXTENSION IF NOT EXISTS pg_trgm",
    );
  });

  test("nobody logs in as the owner, and no login may make roles or databases", async () => {
    await expect(query("shop_owner", first.a, "SELECT 1")).rejects.toThrow(/failed/);
    const powers =
      "SELECT bool_or(rolsuper OR rolcreaterole OR rolcreatedb) FROM pg_roles WHERE rolname LIKE 'shop%'";
    expect(await query("shop_a", first.a, powers)).toBe("f");
  });

  test("a new password for b locks b's old one out and leaves the release that runs on a alone", async () => {
    await makeRoles({ passwords: { a: first.a, b: "second-of-b" }, active: "b" });
    await expect(query("shop_b", first.b, "SELECT 1")).rejects.toThrow(/authentication failed/);
    expect(await query("shop_b", "second-of-b", "SELECT current_user")).toBe("shop_owner");
    expect(await query("shop_a", first.a, "SELECT current_user")).toBe("shop_owner");
  });

  test("another app's database is made beside it, keeps its rows when it is made again, and is closed to the others", async () => {
    const another = { another: "blog", passwords: { a: "a-of-blog", b: "b-of-blog" } };
    expect(await makeRoles(another)).toMatchObject({ database: "blog", owner: "blog_owner" });
    await query("blog_a", "a-of-blog", "CREATE TABLE posts (id int); INSERT INTO posts VALUES (1)", "blog");
    // As after the app left the program and came back: its passwords are new.
    await makeRoles({ another: "blog", passwords: { a: "new-of-a", b: "new-of-b" } });
    expect(await query("blog_b", "new-of-b", "SELECT count(*) FROM posts", "blog")).toBe("1");
    await expect(query("shop_a", first.a, "SELECT 1", "blog")).rejects.toThrow(/permission denied/);
    expect(await query("shop_a", first.a, "SELECT current_user")).toBe("shop_owner");
  });

  test("both logins get through a pool that has no user of its own", async () => {
    const { port } = await createPool(sandbox, cluster.id, {
      name: "shop_pool",
      mode: "transaction",
      size: 5,
      database: "shop",
    });
    const through = (login: string, password: string) =>
      query(login, password, "SELECT session_user || ' as ' || current_user", "shop_pool", port);
    expect(await through("shop_a", first.a)).toBe("shop_a as shop_owner");
    expect(await through("shop_b", "second-of-b")).toBe("shop_b as shop_owner");
  });

  test("the server, which logs every statement here, saw no password", async () => {
    const { stderr: logs } = await promisify(execFile)("docker", ["logs", container]);
    expect(logs).toContain("ALTER ROLE");
    for (const password of [first.a, first.b, "second-of-b"]) expect(logs).not.toContain(password);
  });
});
