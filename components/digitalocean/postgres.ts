// A managed database in the VPC of the hosts that use it: reachable from them alone, over TLS, with roles that
// outlive a password.
import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { databaseVariables, type DatabaseConnection, type DatabaseContract } from "../app/environment";
import { refuseProblems } from "../app/problem";
import type { RemoteScript } from "../release/remoteScript";
import { activeLogin, databaseRoles, passwordGeneration, roleNames, type Login } from "./databaseRoles";
import { accountName, commonTags } from "./names";
import { validatePostgresArgs, type PostgresArgs } from "./postgresArgs";

/** Variables of an app, by name, apart by whether they may be shown. */
export interface PostgresVariables {
  /** What may be shown, for `environment` of an App. */
  readonly plain: Readonly<Record<string, pulumi.Output<string>>>;
  /** Passwords, and URLs that hold one, for `secrets` of an App. */
  readonly secret: Readonly<Record<string, pulumi.Output<string>>>;
}

/** What each optional argument means when it is left out. */
export function resolvePostgresDefaults(args: PostgresArgs) {
  return {
    ...args,
    version: args.version ?? "17",
    size: args.size ?? "db-s-1vcpu-1gb",
    nodeCount: args.nodeCount ?? 1,
    extensions: args.extensions ?? [],
    loginGeneration: args.loginGeneration ?? 1,
    protect: args.protect ?? true,
  };
}

type Resolved = ReturnType<typeof resolvePostgresDefaults>;

/**
 * A PostgreSQL cluster of DigitalOcean with one database. Its tables belong to the role `<database>_owner`, as which
 * nobody logs in; the app logs in as `<database>_a` or `<database>_b`.
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
  /** What the app connects with: the pool when there is one. Secret, and complete when the roles are made. */
  public readonly connection: pulumi.Output<DatabaseConnection>;
  /** Past the pool, for migrations. The same as `connection` without a pool. Secret. */
  public readonly directConnection: pulumi.Output<DatabaseConnection>;
  /** The certificate authority of the cluster, in PEM. */
  public readonly ca: pulumi.Output<string>;
  /** The cluster. */
  public readonly cluster: digitalocean.DatabaseCluster;
  /** What makes the roles and extensions, over the host. */
  public readonly roles: RemoteScript;

  constructor(name: string, args: PostgresArgs, opts?: pulumi.ComponentResourceOptions) {
    refuseProblems(`Postgres "${name}"`, validatePostgresArgs(args));
    // The host has a life of its own; of its connection nothing is kept here.
    super("slipway:index:Postgres", name, { ...args, host: undefined }, opts);
    const resolved = resolvePostgresDefaults(args);

    this.cluster = this.databaseCluster(name, resolved);
    const firewall = new digitalocean.DatabaseFirewall(
      `${name}-firewall`,
      { clusterId: this.cluster.id, rules: resolved.allowedTags.map((value) => ({ type: "tag", value })) },
      // Its removal sends an empty list of rules, which opens the cluster to everybody.
      { parent: this, deletedWith: this.cluster },
    );
    const database = new digitalocean.DatabaseDb(
      `${name}-database`,
      { clusterId: this.cluster.id, name: resolved.database },
      { parent: this, protect: resolved.protect, deletedWith: this.cluster },
    );
    this.ca = digitalocean.getDatabaseCaOutput({ clusterId: this.cluster.id }, { parent: this }).certificate;

    const passwords = { a: this.password(name, "a", resolved), b: this.password(name, "b", resolved) };
    const active = activeLogin(resolved.loginGeneration);
    this.roles = databaseRoles(
      `${name}-roles`,
      {
        host: resolved.host,
        admin: pulumi.output({
          host: this.cluster.privateHost,
          port: this.cluster.port,
          user: this.cluster.user,
          password: this.cluster.password,
          database: database.name,
        }),
        ca: this.ca,
        database: resolved.database,
        passwords,
        extensions: resolved.extensions,
        active,
      },
      // The firewall is what lets the host in.
      { parent: this, dependsOn: [firewall] },
    );

    const pool = resolved.pool && this.pool(name, resolved, database.name, resolved.pool);
    const connect = (
      port: pulumi.Input<number>,
      to: pulumi.Input<string>,
    ): pulumi.Output<DatabaseConnection> =>
      pulumi.secret(
        pulumi
          .output({
            host: this.cluster.privateHost,
            port,
            database: to,
            user: roleNames(resolved.database)[active],
            password: passwords[active],
            ca: this.ca,
            made: this.roles.receipt,
          })
          .apply(({ made: _, ...connection }): DatabaseConnection => connection),
      );
    this.directConnection = connect(this.cluster.port, database.name);
    this.connection = pool === undefined ? this.directConnection : connect(pool.port, pool.name);

    this.registerOutputs({
      connection: this.connection,
      directConnection: this.directConnection,
      ca: this.ca,
    });
  }

  /** The variables that an app of this contract reads, ready for `environment` and `secrets` of an App. */
  public variables(contract: DatabaseContract, connection = this.connection): PostgresVariables {
    // The names follow from the contract alone; only the values have to wait.
    const shape = databaseVariables(contract, {
      host: "",
      port: 0,
      database: "",
      user: "",
      password: "",
      ca: "",
    });
    const values = connection.apply((known) => databaseVariables(contract, known));
    const pick = (kind: "plain" | "secret") =>
      Object.keys(shape[kind]).map((key) => [key, values.apply((known) => known[kind][key] ?? "")] as const);
    return {
      plain: Object.fromEntries(pick("plain").map(([key, value]) => [key, pulumi.unsecret(value)])),
      secret: Object.fromEntries(pick("secret")),
    };
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

  private password(name: string, login: Login, args: Resolved): pulumi.Output<string> {
    const generation = String(passwordGeneration(login, args.loginGeneration));
    const password = new random.RandomPassword(
      `${name}-password-${login}`,
      // Letters and digits only: it passes through files of five syntaxes.
      { length: 40, special: false, keepers: { generation } },
      { parent: this },
    );
    return password.result;
  }

  private pool(
    name: string,
    args: Resolved,
    database: pulumi.Input<string>,
    pool: NonNullable<PostgresArgs["pool"]>,
  ): digitalocean.DatabaseConnectionPool {
    return new digitalocean.DatabaseConnectionPool(
      `${name}-pool`,
      // Without a user it passes on whoever logs in, and so works for both logins.
      { clusterId: this.cluster.id, name: `${args.database}_pool`, dbName: database, ...pool },
      { parent: this, deletedWith: this.cluster },
    );
  }
}
