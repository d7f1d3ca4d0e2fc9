// A managed database in the VPC of the hosts that use it: reachable from them alone, over TLS, with roles that
// outlive a password.
import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import type { DatabaseConnection, DatabaseContract } from "../app/environment";
import { refuseProblems } from "../app/problem";
import type { RemoteScript } from "../release/remoteScript";
import { DatabaseAccess, type PostgresVariables } from "./databaseAccess";
import { accountName, commonTags } from "./names";
import { validatePostgresArgs, type PostgresArgs } from "./postgresArgs";

/** What each optional argument means when it is left out. */
export function resolvePostgresDefaults(args: PostgresArgs) {
  return {
    ...args,
    version: args.version ?? "17",
    size: args.size ?? "db-s-1vcpu-1gb",
    nodeCount: args.nodeCount ?? 1,
    extensions: args.extensions ?? [],
    loginGeneration: args.loginGeneration ?? 1,
    closedLoginGeneration: args.closedLoginGeneration ?? 0,
    protect: args.protect ?? true,
  };
}

type Resolved = ReturnType<typeof resolvePostgresDefaults>;

/**
 * A PostgreSQL cluster of DigitalOcean with one database. Its tables belong to the role `<database>_owner`, as which
 * nobody logs in; the app logs in as `<database>_a` or `<database>_b`. Databases of further apps are
 * {@link PostgresDatabase}s on it; when all are, `database` is left out.
 *
 * Creates a cluster, a database, the firewall of the cluster, two passwords, and a pool where asked for. Costs what
 * the cluster costs: 15 USD a month and node for the default size.
 *
 * Replaced, with all data, when the VPC or the name changes: `protect` is what stands against it.
 *
 * @example
 * const database = new Postgres("db", {
 *   host, region: "fra1", vpcUuid: host.vpcUuid, allowedTags: [host.accessTag], database: "shop",
 * });
 */
export class Postgres extends pulumi.ComponentResource {
  /** The certificate authority of the cluster, in PEM. */
  public readonly ca: pulumi.Output<string>;
  /** The cluster. */
  public readonly cluster: digitalocean.DatabaseCluster;
  /** Who may reach the cluster. */
  public readonly firewall: digitalocean.DatabaseFirewall;
  private readonly access: DatabaseAccess | undefined;

  constructor(
    private readonly title: string,
    args: PostgresArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    refuseProblems(`Postgres "${title}"`, validatePostgresArgs(args));
    // The host has a life of its own; of its connection nothing is kept here.
    super("slipway:index:Postgres", title, { ...args, host: undefined }, opts);
    const resolved = resolvePostgresDefaults(args);

    this.cluster = this.databaseCluster(title, resolved);
    this.firewall = new digitalocean.DatabaseFirewall(
      `${title}-firewall`,
      { clusterId: this.cluster.id, rules: resolved.allowedTags.map((value) => ({ type: "tag", value })) },
      // Its removal sends an empty list of rules, which opens the cluster to everybody.
      { parent: this, deletedWith: this.cluster },
    );
    this.ca = digitalocean.getDatabaseCaOutput({ clusterId: this.cluster.id }, { parent: this }).certificate;
    this.access =
      resolved.database === undefined ? undefined : this.ownDatabase(title, resolved, resolved.database);

    this.registerOutputs({
      ...(this.access && {
        connection: this.access.connection,
        directConnection: this.access.directConnection,
      }),
      ca: this.ca,
    });
  }

  /** What the app connects with: the pool when there is one. Secret, and complete when the roles are made. @throws without `database` */
  public get connection(): pulumi.Output<DatabaseConnection> {
    return this.own.connection;
  }

  /** Past the pool, for migrations. The same as `connection` without a pool. Secret. @throws without `database` */
  public get directConnection(): pulumi.Output<DatabaseConnection> {
    return this.own.directConnection;
  }

  /** What makes the roles and extensions, over the host. @throws without `database` */
  public get roles(): RemoteScript {
    return this.own.roles;
  }

  /** The variables that an app of this contract reads, ready for `environment` and `secrets` of an App. @throws without `database` */
  public variables(contract: DatabaseContract, connection = this.connection): PostgresVariables {
    return this.own.variables(contract, connection);
  }

  private get own(): DatabaseAccess {
    if (this.access !== undefined) return this.access;
    throw new Error(
      `Postgres "${this.title}": database: received nothing; accepted: a name, for a cluster with a database of its own. ` +
        "Give one, or ask the PostgresDatabase that is meant.",
    );
  }

  private ownDatabase(name: string, args: Resolved, database: string): DatabaseAccess {
    const made = new digitalocean.DatabaseDb(
      `${name}-database`,
      { clusterId: this.cluster.id, name: database },
      // Taken out of the program, renamed, or moved to another component: the data stays in the cluster.
      { parent: this, protect: args.protect, retainOnDelete: true, deletedWith: this.cluster },
    );
    const { host, extensions, pool, loginGeneration, closedLoginGeneration } = args;
    return new DatabaseAccess(
      name,
      {
        host,
        extensions,
        pool,
        loginGeneration,
        closedLoginGeneration,
        database,
        made,
        cluster: this.cluster,
        ca: this.ca,
      },
      this,
      this.firewall,
    );
  }

  private databaseCluster(name: string, args: Resolved): digitalocean.DatabaseCluster {
    return new digitalocean.DatabaseCluster(
      name,
      {
        name: accountName(name),
        engine: "pg",
        version: args.version,
        region: args.region,
        size: args.size,
        nodeCount: args.nodeCount,
        privateNetworkUuid: args.vpcUuid,
        tags: [...commonTags()],
        ...args.overrides?.cluster,
      },
      { parent: this, protect: args.protect },
    );
  }
}
