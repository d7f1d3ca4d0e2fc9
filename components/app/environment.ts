/** How an app reaches its Postgres database. */
export interface DatabaseConnection {
  /** Name or address of the server. */
  readonly host: string;
  /** Port of the server, or of its pool. */
  readonly port: number;
  /** Name of the database, or of the pool. */
  readonly database: string;
  /** Name of the role that the app logs in as. */
  readonly user: string;
  /** Password of the role, as it is; only a URL percent-encodes it. Secret. */
  readonly password: string;
  /** The certificate authority of the database in PEM: turns on TLS with verification. @default no TLS settings */
  readonly ca?: string;
}

/** What a variable of the caller's own contract may hold. */
export type DatabaseField = "database" | "host" | "password" | "port" | "url" | "user";

/** The names an app knows its database by: one of the usual sets, or `{ MY_NAME: field }`. */
export type DatabaseContract =
  "SQL" | "DB" | "POSTGRES" | "DATABASE_URL" | Readonly<Record<string, DatabaseField>>;

/** Variables of the `.env` file, apart by whether they may be shown. */
export interface DatabaseVariables {
  /** `name -> value` of what may be shown. */
  readonly plain: Record<string, string>;
  /** `name -> value` of passwords, and of URLs that hold one. */
  readonly secret: Record<string, string>;
}

/** The file under which every container finds the database's certificate authority. */
export const databaseCaFile = "database-ca.crt";

const contracts = {
  SQL: {
    SQL_DATABASE: "database",
    SQL_USER: "user",
    SQL_PASSWORD: "password",
    SQL_HOST: "host",
    SQL_PORT: "port",
  },
  DB: { DB_NAME: "database", DB_USER: "user", DB_PASSWORD: "password", DB_HOST: "host", DB_PORT: "port" },
  POSTGRES: {
    POSTGRES_DB: "database",
    POSTGRES_USER: "user",
    POSTGRES_PASSWORD: "password",
    POSTGRES_HOST: "host",
    POSTGRES_PORT: "port",
  },
  DATABASE_URL: { DATABASE_URL: "url" },
} as const satisfies Record<string, Record<string, DatabaseField>>;

const secretFields: readonly DatabaseField[] = ["password", "url"];

/** `postgres://user:password@host:port/database`, each part percent-encoded. */
export function databaseUrl(connection: DatabaseConnection): string {
  const { user, password, host, port, database } = connection;
  const login = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
  const address = host.includes(":") ? `[${host}]` : host;
  return `postgres://${login}@${address}:${port}/${encodeURIComponent(database)}`;
}

function fieldValue(connection: DatabaseConnection, field: DatabaseField): string {
  return field === "url" ? databaseUrl(connection) : String(connection[field]);
}

/**
 * The variables under which the app expects its database. With a `ca` also `PGSSLMODE` and `PGSSLROOTCERT`, which
 * libpq reads by itself: TLS for apps that know nothing of it. The file they name is `files[databaseCaFile]`.
 */
export function databaseVariables(
  contract: DatabaseContract,
  connection: DatabaseConnection,
): DatabaseVariables {
  const plain: Record<string, string> = {};
  const secret: Record<string, string> = {};
  const names: Readonly<Record<string, DatabaseField>> =
    typeof contract === "string" ? contracts[contract] : contract;
  for (const [name, field] of Object.entries(names)) {
    (secretFields.includes(field) ? secret : plain)[name] = fieldValue(connection, field);
  }
  if (connection.ca !== undefined) {
    plain.PGSSLMODE = "verify-full";
    plain.PGSSLROOTCERT = `/etc/slipway/${databaseCaFile}`;
  }
  return { plain, secret };
}

/** `web` -> `WEB_IMAGE`: the variable through which the compose file learns which image to run. */
export function imageVariable(image: string): string {
  return `${image.toUpperCase().replace(/[^A-Z0-9]/g, "_")}_IMAGE`;
}

/** `registry/name:tag@sha256:…` -> `registry/name`. */
export function repositoryOf(reference: string): string {
  return reference.replace(/@.*$/, "").replace(/:[^:/]*$/, "");
}

/** What the classic environment is made of. */
export interface ClassicEnvironmentArgs {
  /** `name -> repository@sha256:…`. */
  readonly images: Readonly<Record<string, string>>;
  /** The registry of `CI_REGISTRY` and `CI_REGISTRY_USER`. @default none: CI_REGISTRY and CI_REGISTRY_USER are empty */
  readonly registry?: { readonly server: string; readonly username: string };
}

/**
 * The `.env` contract of the classic deploy script, so that its compose file works unchanged. `CI_JOB_TOKEN` is
 * there but empty on purpose: a job's token dies with the job, and the host logs in with one of its own.
 */
export function classicEnvironment(args: ClassicEnvironmentArgs): Record<string, string> {
  const { images, registry } = args;
  const main = images.web ?? Object.values(images)[0];
  return {
    DEBUG: "0",
    SQL_ENGINE: "django.db.backends.postgresql",
    DATABASE: "postgres",
    ...Object.fromEntries(Object.entries(images).map(([name, image]) => [imageVariable(name), image])),
    IMAGE: main === undefined ? "" : repositoryOf(main),
    CI_REGISTRY: registry?.server ?? "",
    CI_REGISTRY_USER: registry?.username ?? "",
    CI_JOB_TOKEN: "",
  };
}
