// One more database on a cluster that is there already, for one more app.
import * as pulumi from "@pulumi/pulumi";
import type { DatabaseConnection, DatabaseContract } from "../app/environment";
import { refuseProblems, type Problem } from "../app/problem";
import type { Host } from "../release/host";
import type { RemoteScript } from "../release/remoteScript";
import { DatabaseAccess, type PostgresVariables } from "./databaseAccess";
import type { Postgres } from "./postgres";
import { databaseProblems, type PostgresPoolArgs } from "./postgresArgs";

/** Arguments of a {@link PostgresDatabase}. */
export interface PostgresDatabaseArgs {
  /** A prepared host that the cluster lets in: database and roles are made from there. */
  readonly host: Host;
  /** The cluster. */
  readonly cluster: Postgres;
  /** Name of the database: lower case letters, digits and `_`, at most 50. Another one is another, empty database; the old one stays. */
  readonly database: string;
  /** Extensions, made by the admin. @default none */
  readonly extensions?: readonly string[];
  /** A pool in front of the database. @default no pool */
  readonly pool?: PostgresPoolArgs;
  /** Counts up for a new password: odd numbers use one login, even ones the other, so that the release that runs goes on. @default 1 */
  readonly loginGeneration?: number;
  /**
   * Passwords of this generation and of earlier ones are refused. Below `loginGeneration`, and set by an update of its
   * own, when no release uses that password any more. @default 0: the one before stays in force until the next change
   */
  readonly closedLoginGeneration?: number;
}

/** Every problem of the arguments that shows before the first resource. */
export function validatePostgresDatabaseArgs(args: PostgresDatabaseArgs): Problem[] {
  return databaseProblems(args);
}

/**
 * A database on a {@link Postgres} with an owner role and two logins of its own. Other apps of the cluster cannot
 * connect to it.
 *
 * Creates two passwords, what makes the database over SSH, and a pool where asked for. Costs nothing beside the cluster.
 *
 * The database stays in the cluster when this leaves the program, and is found there when it comes back: nothing but
 * `DROP DATABASE` by the admin, or the end of the cluster, removes it.
 */
export class PostgresDatabase extends pulumi.ComponentResource {
  /** What the app connects with: the pool when there is one. Secret, and complete when the roles are made. */
  public readonly connection: pulumi.Output<DatabaseConnection>;
  /** Past the pool, for migrations. The same as `connection` without a pool. Secret. */
  public readonly directConnection: pulumi.Output<DatabaseConnection>;
  /** The certificate authority of the cluster, in PEM. */
  public readonly ca: pulumi.Output<string>;
  /** What makes the database, its roles and extensions, over the host. */
  public readonly roles: RemoteScript;
  private readonly access: DatabaseAccess;

  constructor(name: string, args: PostgresDatabaseArgs, opts?: pulumi.ComponentResourceOptions) {
    refuseProblems(`PostgresDatabase "${name}"`, validatePostgresDatabaseArgs(args));
    super("slipway:index:PostgresDatabase", name, {}, opts);
    const { host, cluster, database, pool } = args;
    this.ca = cluster.ca;
    this.access = new DatabaseAccess(
      name,
      {
        host,
        database,
        pool,
        cluster: cluster.cluster,
        ca: cluster.ca,
        extensions: args.extensions ?? [],
        loginGeneration: args.loginGeneration ?? 1,
        closedLoginGeneration: args.closedLoginGeneration ?? 0,
      },
      this,
      cluster.firewall,
    );
    this.roles = this.access.roles;
    this.connection = this.access.connection;
    this.directConnection = this.access.directConnection;
    this.registerOutputs({ connection: this.connection, directConnection: this.directConnection });
  }

  /** The variables that an app of this contract reads, ready for `environment` and `secrets` of an App. */
  public variables(contract: DatabaseContract, connection = this.connection): PostgresVariables {
    return this.access.variables(contract, connection);
  }
}
