import type * as digitalocean from "@pulumi/digitalocean";
import type * as pulumi from "@pulumi/pulumi";
import type { Problem } from "../app/problem";
import type { Host } from "../release/host";

/** A connection pool in front of the database. The app uses it, migrations go past it. */
export interface PostgresPoolArgs {
  /** `transaction` needs Django's `DISABLE_SERVER_SIDE_CURSORS`. */
  readonly mode: "session" | "transaction" | "statement";
  /** Connections that the pool keeps to the server, 1 to 200; the size of the cluster limits them further. */
  readonly size: number;
}

/** Arguments of a {@link Postgres}. */
export interface PostgresArgs {
  /** A prepared host in the same VPC: the roles are made from there. */
  readonly host: Host;
  /** DigitalOcean region, such as `fra1`. A change moves the cluster. */
  readonly region: string;
  /** VPC of the cluster. Another one replaces the cluster: data loss. */
  readonly vpcUuid: pulumi.Input<string>;
  /** Tags of the droplets that the database lets in. Nobody else gets in. */
  readonly allowedTags: readonly pulumi.Input<string>[];
  /**
   * Name of the app's database: lower case letters, digits and `_`, at most 50. Another one is another, empty database; the
   * old one stays in the cluster. @default none: every app has a PostgresDatabase
   */
  readonly database?: string;
  /** Major version of PostgreSQL; a higher one upgrades in place. @default "17" */
  readonly version?: string;
  /** Size of a node. @default "db-s-1vcpu-1gb", 15 USD a month */
  readonly size?: string;
  /** Nodes, 1 to 3: every one above the first is a standby. @default 1 */
  readonly nodeCount?: number;
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
  /** Whether the cluster and its database are protected from deletion. @default true */
  readonly protect?: boolean;
  /** Merged last into the cluster's arguments. @default nothing */
  readonly overrides?: { readonly cluster?: Partial<digitalocean.DatabaseClusterArgs> };
}

const modes = ["session", "transaction", "statement"];
// DigitalOcean makes these itself, or they are PostgreSQL's own.
const taken = ["defaultdb", "postgres", "template0", "template1", "_dodb"];

type Check = (ok: boolean, path: string, received: unknown, accepted: string, cure: string) => void;

function collect(run: (check: Check) => void): Problem[] {
  const problems: Problem[] = [];
  run((ok, path, received, accepted, cure) => {
    if (!ok) problems.push({ path, received: JSON.stringify(received) ?? "nothing", accepted, cure });
  });
  return problems;
}

function whole(value: number | undefined, low: number, high: number): boolean {
  return value === undefined || (Number.isInteger(value) && value >= low && value <= high);
}

/** What can be wrong with one database of a cluster. */
export function databaseProblems(
  args: Pick<PostgresArgs, "database" | "extensions" | "pool" | "loginGeneration" | "closedLoginGeneration">,
): Problem[] {
  return collect((check) => checkDatabase(args, check));
}

/** Every problem of the arguments that shows before the first resource. */
export function validatePostgresArgs(args: PostgresArgs): Problem[] {
  return [...collect((check) => checkCluster(args, check)), ...databaseProblems(args)];
}

function checkCluster(args: PostgresArgs, check: Check): void {
  check(
    /^[a-z]{3}\d$/.test(args.region),
    "region",
    args.region,
    "a slug such as `fra1`",
    "list them: doctl databases options regions",
  );
  check(
    args.version === undefined || /^(1[3-9]|[2-9]\d)$/.test(args.version),
    "version",
    args.version,
    "a major version such as `17`",
    "list them: doctl databases options versions --engine pg",
  );
  check(
    args.size === undefined || /^[a-z0-9][a-z0-9.-]*$/.test(args.size),
    "size",
    args.size,
    "a slug such as `db-s-1vcpu-1gb`",
    "list them: doctl databases options slugs --engine pg",
  );
  check(whole(args.nodeCount, 1, 3), "nodeCount", args.nodeCount, "1, 2 or 3", "2 has one standby");
  check(
    args.allowedTags.length > 0,
    "allowedTags",
    args.allowedTags,
    "at least one tag",
    "give `accessTag` of the DockerHost: a cluster without a rule is open to everybody",
  );
}

function checkDatabase(
  {
    database,
    ...args
  }: Pick<PostgresArgs, "database" | "extensions" | "pool" | "loginGeneration" | "closedLoginGeneration">,
  check: Check,
): void {
  check(
    database === undefined ||
      (/^[a-z_][a-z0-9_]{0,49}$/.test(database) && !database.startsWith("pg_") && !taken.includes(database)),
    "database",
    database,
    "lower case letters, digits and `_`, at most 50, not beginning with `pg_` and not a name of the system",
    "choose another name",
  );
  args.extensions?.forEach((extension, index) =>
    check(
      /^[a-z_][a-z0-9_-]*$/.test(extension),
      `extensions[${index}]`,
      extension,
      "the name of an extension, such as `pg_trgm`",
      "list those of the server: SELECT name FROM pg_available_extensions",
    ),
  );
  if (args.pool !== undefined) {
    check(
      modes.includes(args.pool.mode),
      "pool.mode",
      args.pool.mode,
      modes.join(", "),
      "`transaction` suits most web apps",
    );
    check(
      whole(args.pool.size, 1, 200),
      "pool.size",
      args.pool.size,
      "a whole number from 1 to 200",
      "10 suits the smallest cluster",
    );
  }
  check(
    whole(args.loginGeneration, 1, Number.MAX_SAFE_INTEGER),
    "loginGeneration",
    args.loginGeneration,
    "a whole number from 1",
    "count it up by one for a new password",
  );
  check(
    whole(args.closedLoginGeneration, 0, (args.loginGeneration ?? 1) - 1),
    "closedLoginGeneration",
    args.closedLoginGeneration,
    `a whole number from 0 and below loginGeneration, which is ${args.loginGeneration ?? 1}`,
    "count loginGeneration up, update, and then close the one before",
  );
}
