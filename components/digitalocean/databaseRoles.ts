import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import type { Host } from "../release/host";
import { RemoteScript } from "../release/remoteScript";

/** The two logins of a database. One is in use, the other waits for the next change of password. */
export type Login = "a" | "b";

/** Odd generations use login `a`, even ones `b`. */
export function activeLogin(generation: number): Login {
  return generation % 2 === 1 ? "a" : "b";
}

/** The generation in which a login last got a new password: the newest one, up to now, in which it is the active one. */
export function passwordGeneration(login: Login, generation: number): number {
  return activeLogin(generation) === login ? generation : generation - 1;
}

/** The login that is refused when the passwords up to `closedGeneration` are: the waiting one, if its is among them. */
export function closedLogin(generation: number, closedGeneration: number): Login | undefined {
  const waiting = activeLogin(generation - 1);
  return closedGeneration >= 1 && passwordGeneration(waiting, generation) <= closedGeneration
    ? waiting
    : undefined;
}

/** The names of a database's roles. */
export function roleNames(database: string): { readonly owner: string } & Readonly<Record<Login, string>> {
  return { owner: `${database}_owner`, a: `${database}_a`, b: `${database}_b` };
}

/**
 * What PostgreSQL stores instead of a password (RFC 5803). With it the password itself never reaches a statement, which
 * a server may log. The salt comes from the password, so that the same password gives the same text and no change.
 */
export function scramVerifier(role: string, password: string): string {
  const iterations = 4096;
  const salt = createHash("sha256").update(`slipway ${role} ${password}`).digest().subarray(0, 16);
  const salted = pbkdf2Sync(password, salt, iterations, 32, "sha256");
  const hmac = (text: string): Buffer => createHmac("sha256", salted).update(text).digest();
  const storedKey = createHash("sha256").update(hmac("Client Key")).digest("base64");
  const serverKey = hmac("Server Key").toString("base64");
  return `SCRAM-SHA-256$${iterations}:${salt.toString("base64")}$${storedKey}:${serverKey}`;
}

/** The admin's connection, straight to the server and not through a pool. */
export interface AdminConnection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/**
 * The connection as libpq reads it from a file, and with `maintenance`, a database that is there in any case, the one that
 * the database is made from. Values are not quoted there: the rest of the line counts.
 */
export function renderServiceFile(admin: AdminConnection, maintenance?: string): string {
  return [
    renderService("admin", admin),
    ...(maintenance === undefined ? [] : [renderService("maintenance", { ...admin, database: maintenance })]),
  ].join("\n");
}

function renderService(service: string, admin: AdminConnection): string {
  const values = {
    host: admin.host,
    port: String(admin.port),
    dbname: admin.database,
    user: admin.user,
    password: admin.password,
    sslmode: "verify-full",
    sslrootcert: "database-ca.crt",
  };
  for (const [key, value] of Object.entries(values)) {
    if (value === "" || value !== value.trim() || /[\r\n]/.test(value)) {
      throw new Error(
        `the database's ${key} cannot stand in a service file: received ${key === "password" ? "a secret value" : JSON.stringify(value)}, ` +
          "accepted is one line without spaces around it. Reset it in DigitalOcean's control panel.",
      );
    }
  }
  return [`[${service}]`, ...Object.entries(values).map(([key, value]) => `${key}=${value}`), ""].join("\n");
}

/** What the SQL is filled in with, as psql reads it. Every value is one of ours or base64: no quote can occur. */
export function renderVariables(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([key, value]) => `\\set ${key} '${value}'\n`)
    .join("");
}

/** The values of the SQL: names, hashes of the passwords, and the extensions. */
export function roleVariables(
  database: string,
  passwords: Readonly<Record<Login, string>>,
  active: Login,
  extensions: readonly string[],
  closed?: Login,
): Record<string, string> {
  const roles = roleNames(database);
  return {
    database,
    owner: roles.owner,
    login_a: roles.a,
    login_b: roles.b,
    verifier_a: scramVerifier(roles.a, passwords.a),
    verifier_b: scramVerifier(roles.b, passwords.b),
    active: roles[active],
    closed: closed === undefined ? "" : roles[closed],
    extensions: [...extensions].sort().join(","),
  };
}

/** What the roles of a database are made from. */
export interface DatabaseRolesArgs {
  /** A prepared host that the database lets in. */
  readonly host: Host;
  readonly admin: pulumi.Input<AdminConnection>;
  /** A database that is there in any case: then the app's own is made too. @default it is there */
  readonly maintenance?: pulumi.Input<string>;
  readonly ca: pulumi.Input<string>;
  readonly database: string;
  readonly passwords: Readonly<Record<Login, pulumi.Input<string>>>;
  readonly extensions: readonly string[];
  readonly active: Login;
  /** The login that is refused: never the active one. */
  readonly closed?: Login;
}

/** Makes the roles, their rights and the extensions of a database, and where asked for the database, by psql on the host. */
export function databaseRoles(
  name: string,
  args: DatabaseRolesArgs,
  opts?: pulumi.ComponentResourceOptions,
): RemoteScript {
  const { database, passwords, active, extensions, closed } = args;
  const variables = pulumi
    .all([passwords.a, passwords.b])
    .apply(([a, b]) => renderVariables(roleVariables(database, { a, b }, active, extensions, closed)));
  return new RemoteScript(
    name,
    {
      host: args.host,
      entry: "databaseRoles.sh",
      scripts: ["databaseRoles.sql", ...(args.maintenance === undefined ? [] : ["createDatabase.sql"])],
      files: {
        "pg_service.conf": pulumi.secret(
          pulumi
            .all([args.admin, args.maintenance])
            .apply(([admin, maintenance]) => renderServiceFile(admin, maintenance)),
        ),
        "variables.psql": pulumi.secret(variables),
        "database-ca.crt": args.ca,
      },
      timeoutSeconds: 300,
    },
    opts,
  );
}
