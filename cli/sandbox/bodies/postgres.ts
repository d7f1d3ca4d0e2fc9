import { randomBytes, randomUUID } from "node:crypto";
import { authority, issueCertificate } from "./authority";
import { removeRecord, setRecord } from "./dns";
import { docker, dockerExec } from "./docker";
import { forgetFirewall } from "./firewall";
import { ensureImage } from "./images";
import { vpcNetwork } from "./network";
import type { Sandbox } from "./sandbox";

export interface ClusterArgs {
  readonly name: string;
  /** Major version. Every cluster of the sandbox runs 17. */
  readonly version: string;
  /** Slug; it decides how many connections there are, as at DigitalOcean. */
  readonly size: string;
  /** @default the sandbox's default VPC */
  readonly vpcId?: string;
}

export interface Cluster {
  readonly id: string;
  /** Addresses, not names: they mean the same in a droplet and in its containers. */
  readonly host: string;
  readonly privateHost: string;
  readonly port: number;
  readonly user: string;
  /** Secret, as are both URIs. */
  readonly password: string;
  readonly database: string;
  readonly uri: string;
  readonly privateUri: string;
  /** What signs the cluster's certificate, as PEM. */
  readonly ca: string;
}

export interface PoolArgs {
  /** Clients name it as their database. */
  readonly name: string;
  readonly mode: "transaction" | "session" | "statement";
  readonly size: number;
  readonly database: string;
}

const admin = "doadmin";
const firstDatabase = "defaultdb";
const port = 25060;
/** Port of every pool. */
export const poolPort = 25061;

/** Starts a Postgres with TLS, a database `defaultdb` and an admin that is no superuser. It is open to everybody
 * in the sandbox until setFirewall names who may reach it. */
export async function createCluster(sandbox: Sandbox, args: ClusterArgs): Promise<Cluster> {
  await sandbox.up();
  if (args.version !== "17")
    sandbox.log(`database ${args.name}: Postgres 17 stands in for version ${args.version}`);
  const id = randomUUID();
  const password = `AVNS_${randomBytes(15).toString("base64url")}`;
  const names = recordNames(args.name);
  const [network, ca] = await Promise.all([vpcNetwork(sandbox, args.vpcId), authority(sandbox)]);
  const container = sandbox.containerName(`db-${args.name}-${id.slice(0, 8)}`);
  const { publicAddress, privateAddress = "" } = await sandbox.create({
    ...{
      role: "database",
      id,
      container,
      privateNetwork: network,
      image: await ensureImage("services", sandbox.log),
    },
    labels: { "slipway.name": args.name },
    flags: ["--cap-add", "NET_ADMIN", "--shm-size", "256m"],
    command: ["postgres.sh", "serve", String(connections(args.size))],
    files: async (addresses) => {
      const own = await issueCertificate(
        sandbox,
        [names.public, names.private],
        [addresses.publicAddress, addresses.privateAddress ?? ""],
      );
      return [
        { path: "etc/slipway/postgres/server.crt", content: own.certificate },
        { path: "etc/slipway/postgres/server.key", content: own.key, mode: 0o600 },
      ];
    },
  });
  await sandbox.waitFor(`the database ${args.name}`, () => sql(container, "postgres", "SELECT 1;"));
  await sql(
    container,
    "postgres",
    `CREATE ROLE ${admin} LOGIN CREATEDB CREATEROLE PASSWORD '${password}';\nCREATE DATABASE ${firstDatabase} OWNER ${admin};`,
  );
  await setRecord(sandbox, names.public, publicAddress);
  await setRecord(sandbox, names.private, privateAddress);
  const uri = (host: string) =>
    `postgresql://${admin}:${password}@${host}:${port}/${firstDatabase}?sslmode=require`;
  return {
    ...{
      id,
      host: publicAddress,
      privateHost: privateAddress,
      port,
      user: admin,
      password,
      database: firstDatabase,
    },
    ...{ uri: uri(publicAddress), privateUri: uri(privateAddress), ca },
  };
}

/** Removes the cluster with its data. */
export async function deleteCluster(sandbox: Sandbox, id: string): Promise<void> {
  const member = await sandbox.find("database", id);
  if (member === undefined) return;
  await docker(["rm", "-f", "-v", member.container]);
  await forgetFirewall(sandbox, id);
  const names = recordNames(member.labels["slipway.name"] ?? "");
  await removeRecord(sandbox, names.public);
  await removeRecord(sandbox, names.private);
}

/** Makes a database that belongs to the admin; nothing happens where there is one of that name. */
export async function createDatabase(sandbox: Sandbox, id: string, name: string): Promise<void> {
  const { container } = await sandbox.get("database", id);
  const there = await sql(
    container,
    "postgres",
    `SELECT 1 FROM pg_database WHERE datname = ${literal(name)};`,
  );
  if (there.trim() === "")
    await sql(container, "postgres", `CREATE DATABASE ${identifier(name)} OWNER ${admin};`);
}

export async function deleteDatabase(sandbox: Sandbox, id: string, name: string): Promise<void> {
  const member = await sandbox.find("database", id);
  if (member === undefined) return;
  await sql(member.container, "postgres", `DROP DATABASE IF EXISTS ${identifier(name)} WITH (FORCE);`);
}

/** Makes or changes a pool, which every role of the cluster may use, and gives the port where it answers. */
export async function createPool(sandbox: Sandbox, id: string, pool: PoolArgs): Promise<{ port: number }> {
  await changePools(sandbox, id, pool.name, [poolLine(pool)]);
  return { port: poolPort };
}

export async function deletePool(sandbox: Sandbox, id: string, name: string): Promise<void> {
  if ((await sandbox.find("database", id)) !== undefined) await changePools(sandbox, id, name, []);
}

function changePools(sandbox: Sandbox, id: string, name: string, added: readonly string[]): Promise<void> {
  return sandbox.exclusive(async () => {
    const { container } = await sandbox.get("database", id);
    const file = await dockerExec(container, ["cat", "/etc/slipway/postgres/pools"]).catch(() => "");
    const kept = file.split("\n").filter((line) => line !== "" && !line.startsWith(`${name} = `));
    await dockerExec(container, ["postgres.sh", "pools"], { input: [...kept, ...added, ""].join("\n") });
  });
}

function poolLine(pool: PoolArgs): string {
  for (const name of [pool.name, pool.database]) {
    if (!/^[A-Za-z_][\w-]*$/.test(name)) {
      throw new Error(
        `database pool: the name is ${JSON.stringify(name)}; accepted: letters, digits, dashes and underscores`,
      );
    }
  }
  const target = `host=/run/postgresql port=${port} dbname=${pool.database}`;
  return `${pool.name} = ${target} pool_mode=${pool.mode} pool_size=${pool.size}`;
}

function sql(container: string, database: string, statements: string): Promise<string> {
  return dockerExec(container, ["postgres.sh", "sql", database], { input: statements });
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function recordNames(name: string): { public: string; private: string } {
  return { public: `${name}.db.sandbox`, private: `private-${name}.db.sandbox` };
}

// 25 per GiB, of which the service keeps 3: https://docs.digitalocean.com/products/databases/postgresql/details/limits/
function connections(size: string): number {
  const gib = Number(/-(\d+)gb$/.exec(size)?.[1] ?? 4);
  return Math.min(25 * gib, 1000);
}
