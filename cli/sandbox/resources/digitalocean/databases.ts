import { randomUUID } from "node:crypto";
import { authority } from "../../bodies/authority";
import { setFirewall, type FirewallRule } from "../../bodies/firewall";
import {
  createCluster,
  createDatabase,
  createPool,
  deleteCluster,
  deleteDatabase,
  deletePool,
  type PoolArgs,
} from "../../bodies/postgres";
import type { Sandbox } from "../../bodies/sandbox";
import { wakeUp } from "../../local";
import type { Plain } from "../../properties";
import type { Provider } from "../handler";
import { number, optionalText, text } from "../inputs";
import { sayWhatStays } from "./machines";

const modes: readonly string[] = ["transaction", "session", "statement"];
const ruleTypes: readonly string[] = ["tag", "ip_addr", "droplet"];

/** Managed PostgreSQL: a real server with TLS, an admin that is no superuser, a firewall and a pooler. */
export function databases(sandbox: Sandbox): Provider {
  return {
    resources: {
      "digitalocean:index/databaseCluster:DatabaseCluster": {
        replaceOn: ["engine", "name", "privateNetworkUuid", "projectId"],
        secretOutputs: ["password", "privateUri", "uri", "uiPassword", "uiUri"],
        create: async ({ inputs }) => {
          const engine = text(inputs, "engine");
          if (engine !== "pg") throw new Error(`engine: received "${engine}", the sandbox has "pg" only`);
          const vpcId = optionalText(inputs, "privateNetworkUuid");
          const cluster = await createCluster(sandbox, {
            name: text(inputs, "name"),
            version: text(inputs, "version"),
            size: text(inputs, "size"),
            ...(vpcId !== undefined && { vpcId }),
          });
          const { id, host, privateHost, port, user, password, database, uri, privateUri } = cluster;
          const connection = { host, privateHost, port, user, password, database, uri, privateUri };
          return { id, outputs: { ...connection, clusterUrn: `do:dbaas:${id}` } };
        },
        update: (call) => {
          sayWhatStays(call, ["version", "size", "region", "nodeCount", "storageSizeMib", "tags"]);
          return {};
        },
        delete: ({ id }) => deleteCluster(sandbox, id),
        stands: ({ id }) => wakeUp(sandbox, "database", id),
      },
      "digitalocean:index/databaseDb:DatabaseDb": {
        create: async ({ inputs }) => {
          const [cluster, name] = [text(inputs, "clusterId"), text(inputs, "name")];
          await createDatabase(sandbox, cluster, name);
          return { id: `${cluster}/database/${name}` };
        },
        delete: ({ inputs }) => deleteDatabase(sandbox, text(inputs, "clusterId"), text(inputs, "name")),
      },
      "digitalocean:index/databaseFirewall:DatabaseFirewall": {
        replaceOn: ["clusterId"],
        create: async ({ inputs }) => {
          await setFirewall(sandbox, text(inputs, "clusterId"), rulesOf(inputs));
          return { id: randomUUID() };
        },
        update: async ({ inputs }) => {
          await setFirewall(sandbox, text(inputs, "clusterId"), rulesOf(inputs));
          return {};
        },
        // No rules: the cluster is open to everybody again, as at DigitalOcean.
        delete: ({ inputs }) => setFirewall(sandbox, text(inputs, "clusterId"), []),
      },
      "digitalocean:index/databaseConnectionPool:DatabaseConnectionPool": {
        secretOutputs: ["password", "privateUri", "uri"],
        create: async ({ inputs }) => {
          const cluster = text(inputs, "clusterId");
          const pool = poolOf(inputs);
          const { port } = await createPool(sandbox, cluster, pool);
          const { labels } = await sandbox.get("database", cluster);
          const hosts = { host: labels["slipway.public"], privateHost: labels["slipway.private"] };
          return { id: `${cluster}/pool/${pool.name}`, outputs: { ...hosts, port } };
        },
        delete: ({ inputs }) => deletePool(sandbox, text(inputs, "clusterId"), text(inputs, "name")),
      },
    },
    invokes: {
      "digitalocean:index/getDatabaseCa:getDatabaseCa": async (inputs) => {
        const clusterId = text(inputs, "clusterId");
        await sandbox.get("database", clusterId);
        return { id: clusterId, clusterId, certificate: await authority(sandbox) };
      },
    },
  };
}

function rulesOf(inputs: Plain): FirewallRule[] {
  const rules = (inputs["rules"] ?? []) as Plain[];
  return rules.map((rule) => ({
    type: oneOf(text(rule, "type"), "rules.type", ruleTypes) as FirewallRule["type"],
    value: text(rule, "value"),
  }));
}

function poolOf(inputs: Plain): PoolArgs {
  if (optionalText(inputs, "user") !== undefined) {
    throw new Error("user: a pool of the sandbox passes on whoever logs in; leave it out");
  }
  return {
    name: text(inputs, "name"),
    mode: oneOf(text(inputs, "mode"), "mode", modes) as PoolArgs["mode"],
    size: number(inputs, "size"),
    database: text(inputs, "dbName"),
  };
}

function oneOf(value: string, key: string, accepted: readonly string[]): string {
  if (accepted.includes(value)) return value;
  throw new Error(`${key}: received "${value}", accepted are ${accepted.join(", ")}`);
}
