import fc from "fast-check";
import {
  classicEnvironment,
  databaseUrl,
  databaseVariables,
  imageVariable,
  repositoryOf,
  type DatabaseConnection,
} from "../../../components/app";

const connection: DatabaseConnection = {
  host: "private-db.example.com",
  port: 25060,
  database: "shop",
  user: "shop_a",
  password: "p@ss/w:rd#?%",
};

describe("databaseVariables", () => {
  it.each([
    ["SQL", "SQL_DATABASE", "SQL_USER", "SQL_PASSWORD", "SQL_HOST", "SQL_PORT"],
    ["DB", "DB_NAME", "DB_USER", "DB_PASSWORD", "DB_HOST", "DB_PORT"],
    ["POSTGRES", "POSTGRES_DB", "POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_HOST", "POSTGRES_PORT"],
  ] as const)("knows the names of the contract %s", (contract, database, user, password, host, port) => {
    expect(databaseVariables(contract, connection)).toEqual({
      plain: { [database]: "shop", [user]: "shop_a", [host]: connection.host, [port]: "25060" },
      secret: { [password]: connection.password },
    });
  });

  it("keeps a URL secret as a whole, since the password is in it", () => {
    expect(databaseVariables("DATABASE_URL", connection)).toEqual({
      plain: {},
      secret: {
        DATABASE_URL: "postgres://shop_a:p%40ss%2Fw%3Ard%23%3F%25@private-db.example.com:25060/shop",
      },
    });
  });

  it("fills the caller's own names", () => {
    const own = { PG_WHERE: "host", PG_PASS: "password", PG_DSN: "url" } as const;
    expect(databaseVariables(own, connection)).toEqual({
      plain: { PG_WHERE: connection.host },
      secret: { PG_PASS: connection.password, PG_DSN: databaseUrl(connection) },
    });
  });

  it("turns on verified TLS when there is a certificate authority", () => {
    expect(databaseVariables("SQL", { ...connection, ca: "PEM" }).plain).toMatchObject({
      PGSSLMODE: "verify-full",
      PGSSLROOTCERT: "/etc/slipway/database-ca.crt",
    });
  });

  it("makes a URL from which every parser gets the same login back", () => {
    const text = fc.string({ unit: "grapheme", minLength: 1 });
    fc.assert(
      fc.property(text, text, text, (user, password, database) => {
        const url = new URL(databaseUrl({ ...connection, user, password, database }));
        const back = [url.username, url.password, url.pathname.slice(1)].map(decodeURIComponent);
        expect(back).toEqual([user, password, database]);
      }),
    );
  });
});

describe("classicEnvironment", () => {
  const digest = `@sha256:${"0".repeat(64)}`;

  it("is the .env of the classic deploy script, with an empty job token", () => {
    const images = {
      web: `registry.gitlab.com/g/shop:web${digest}`,
      nginx: `registry.gitlab.com/g/shop:nginx${digest}`,
    };
    const registry = { server: "registry.gitlab.com", username: "reader" };
    expect(classicEnvironment({ images, registry })).toEqual({
      DEBUG: "0",
      SQL_ENGINE: "django.db.backends.postgresql",
      DATABASE: "postgres",
      WEB_IMAGE: images.web,
      NGINX_IMAGE: images.nginx,
      IMAGE: "registry.gitlab.com/g/shop",
      CI_REGISTRY: "registry.gitlab.com",
      CI_REGISTRY_USER: "reader",
      CI_JOB_TOKEN: "",
    });
  });

  it("needs neither a registry nor images", () => {
    expect(classicEnvironment({ images: {} })).toMatchObject({
      IMAGE: "",
      CI_REGISTRY: "",
      CI_REGISTRY_USER: "",
    });
  });

  it.each([
    ["web", "WEB_IMAGE"],
    ["my-worker", "MY_WORKER_IMAGE"],
  ])("calls the image %s %s", (name, variable) => {
    expect(imageVariable(name)).toBe(variable);
  });

  it.each([
    [`localhost:5000/shop${digest}`, "localhost:5000/shop"],
    ["localhost:5000/shop:web", "localhost:5000/shop"],
    ["shop", "shop"],
  ])("finds the repository of %s", (reference, repository) => {
    expect(repositoryOf(reference)).toBe(repository);
  });
});
