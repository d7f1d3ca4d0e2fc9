// How an app reaches one database of a cluster: its two logins, what makes them, and the variables that name them.
import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { databaseVariables, type DatabaseConnection, type DatabaseContract } from "../app/environment";
import type { Host } from "../release/host";
import type { RemoteScript } from "../release/remoteScript";
import {
  activeLogin,
  closedLogin,
  databaseRoles,
  passwordGeneration,
  roleNames,
  type Login,
} from "./databaseRoles";
import type { PostgresPoolArgs } from "./postgresArgs";

/** Variables of an app, by name, apart by whether they may be shown. */
export interface PostgresVariables {
  /** What may be shown, for `environment` of an App. */
  readonly plain: Readonly<Record<string, pulumi.Output<string>>>;
  /** Passwords, and URLs that hold one, for `secrets` of an App. */
  readonly secret: Readonly<Record<string, pulumi.Output<string>>>;
}

interface DatabaseAccessArgs {
  readonly host: Host;
  readonly cluster: digitalocean.DatabaseCluster;
  readonly ca: pulumi.Output<string>;
  readonly database: string;
  /** The database as a resource. Without one it is made where the roles are made. */
  readonly made?: digitalocean.DatabaseDb;
  readonly extensions: readonly string[];
  readonly pool?: PostgresPoolArgs;
  readonly loginGeneration: number;
  readonly closedLoginGeneration: number;
}

/** Passwords, roles and the pool of one database, as children of the component that it belongs to. */
export class DatabaseAccess {
  readonly connection: pulumi.Output<DatabaseConnection>;
  readonly directConnection: pulumi.Output<DatabaseConnection>;
  readonly roles: RemoteScript;

  constructor(
    private readonly name: string,
    private readonly args: DatabaseAccessArgs,
    private readonly parent: pulumi.Resource,
    /** What lets the host in. */
    firewall: pulumi.Resource,
  ) {
    const { cluster, ca, database, made } = args;
    const passwords = { a: this.password("a"), b: this.password("b") };
    const active = activeLogin(args.loginGeneration);
    this.roles = databaseRoles(
      `${name}-roles`,
      {
        host: args.host,
        admin: pulumi.output({
          host: cluster.privateHost,
          port: cluster.port,
          user: cluster.user,
          password: cluster.password,
          database: made?.name ?? database,
        }),
        maintenance: made === undefined ? cluster.database : undefined,
        ca,
        database,
        passwords,
        extensions: args.extensions,
        active,
        closed: closedLogin(args.loginGeneration, args.closedLoginGeneration),
      },
      { parent, dependsOn: [firewall] },
    );
    const target = made?.name ?? this.roles.receipt.apply(() => database);
    const pool = args.pool && this.pool(target, args.pool);
    const connect = (
      port: pulumi.Input<number>,
      to: pulumi.Input<string>,
    ): pulumi.Output<DatabaseConnection> =>
      pulumi.secret(
        pulumi
          .output({
            host: cluster.privateHost,
            port,
            database: to,
            user: roleNames(database)[active],
            password: passwords[active],
            ca,
            made: this.roles.receipt,
          })
          .apply(({ made: _, ...connection }): DatabaseConnection => connection),
      );
    this.directConnection = connect(cluster.port, target);
    this.connection = pool === undefined ? this.directConnection : connect(pool.port, pool.name);
  }

  variables(contract: DatabaseContract, connection = this.connection): PostgresVariables {
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

  private password(login: Login): pulumi.Output<string> {
    const generation = String(passwordGeneration(login, this.args.loginGeneration));
    const password = new random.RandomPassword(
      `${this.name}-password-${login}`,
      // Letters and digits only: it passes through files of five syntaxes.
      { length: 40, special: false, keepers: { generation } },
      { parent: this.parent },
    );
    return password.result;
  }

  private pool(database: pulumi.Input<string>, pool: PostgresPoolArgs): digitalocean.DatabaseConnectionPool {
    const { cluster } = this.args;
    return new digitalocean.DatabaseConnectionPool(
      `${this.name}-pool`,
      // Without a user it passes on whoever logs in, and so works for both logins.
      { clusterId: cluster.id, name: `${this.args.database}_pool`, dbName: database, ...pool },
      { parent: this.parent, deletedWith: cluster },
    );
  }
}
