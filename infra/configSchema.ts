// What may stand in Pulumi.<stack>.yaml. Ranges and forms that a component checks itself are left to it.
import { z } from "zod";

const text = (accepted: string) => z.string({ error: accepted }).min(1, { error: accepted });
const flag = z.boolean({ error: "true or false" });
const whole = (accepted: string) => z.int({ error: accepted });
const texts = (accepted: string) => z.array(text(accepted), { error: `a list of ${accepted}` });
// YAML reads `DEBUG: 0` as a number; a variable of the environment is text all the same.
const variables = z.record(
  z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: "letters, digits and `_`, not beginning with a digit" }),
  z
    .union([z.string(), z.number(), z.boolean()], { error: "a text, a number, true or false" })
    .transform(String),
  { error: "an object of variables" },
);
const generations = (accepted: string) =>
  z.array(whole(accepted).min(1, { error: accepted }), { error: accepted }).min(1, { error: accepted });
const fields = ["database", "host", "password", "port", "url", "user"] as const;

const existing = z.strictObject(
  {
    address: text("an IP address or a host name"),
    user: text("the name of a user with sudo and no password").optional(),
    port: whole("a port").optional(),
    privateKey: text("a private key without a passphrase"),
    hostKey: text("a line such as `ssh-ed25519 AAAA…`"),
    identity: text("a text that names the machine").optional(),
  },
  { error: "an object with address, user, port, privateKey and hostKey" },
);

const host = z.strictObject(
  {
    size: text("a droplet size").optional(),
    image: text("an image").optional(),
    vpc: text("the UUID of a VPC").optional(),
    sshFrom: texts("networks such as `203.0.113.7/32`").optional(),
    authorizedKeys: texts("public SSH keys").optional(),
    privateKey: text("a private key without a passphrase").optional(),
    deployKeyGenerations: generations("a list such as [1], or [1, 2] during a change").optional(),
    hostKeyGenerations: generations("a list such as [1], or [1, 2] during a change").optional(),
    generation: whole("a whole number from 1").optional(),
    monitoring: flag.optional(),
    backups: flag.optional(),
    mediaVolumeGib: whole("a whole number of GiB").optional(),
    swapMib: whole("a whole number of MiB").optional(),
    reservedIp: flag.default(false),
    protect: flag.optional(),
    existing: existing.optional(),
  },
  { error: "an object" },
);

const contract = z.union(
  [z.enum(["SQL", "DB", "POSTGRES", "DATABASE_URL"]), z.record(z.string(), z.enum(fields))],
  {
    error: `SQL, DB, POSTGRES, DATABASE_URL, or variables of your own with one of ${fields.join(", ")} each`,
  },
);
const ofDatabase = {
  name: text("the name of the app's database").optional(),
  extensions: texts("names of extensions").optional(),
  pool: z
    .strictObject(
      {
        mode: z.enum(["session", "transaction", "statement"], {
          error: "session, transaction or statement",
        }),
        size: whole("a number of connections"),
      },
      { error: "an object with mode and size" },
    )
    .optional(),
  loginGeneration: whole("a whole number from 1").optional(),
  closedLoginGeneration: whole("a whole number below loginGeneration").optional(),
};

const database = z.strictObject(
  {
    ...ofDatabase,
    contract: contract.default("SQL"),
    version: z.union([z.string(), z.number()], { error: "a major version" }).transform(String).optional(),
    size: text("the size of a node").optional(),
    nodes: whole("1, 2 or 3").optional(),
    protect: flag.optional(),
  },
  { error: "an object; {} for a database with the defaults" },
);

const registry = z.strictObject(
  {
    server: text("a registry such as `registry.gitlab.com`"),
    username: text("a user name"),
    password: text("a token that may only read"),
  },
  { error: "an object with server, username and password" },
);
const directory = text("the directory of the app, from where Pulumi.yaml is");
const releasesFile = text("the path of a file").optional();

const secretKeyGenerations = generations("a list such as [1], or [2, 1] during a change").default([1]);

// What a stack with one app has beside `app`, each of several apps has inside.
const ownKeys = {
  secrets: variables.default({}),
  secretKeyGenerations,
  registry: registry.optional(),
  releasesFile,
  database: z
    .strictObject(
      { ...ofDatabase, contract: contract.optional() },
      { error: "an object; {} for the defaults" },
    )
    .optional(),
};
const oneOfSeveral = z.looseObject(
  { directory, ...ownKeys },
  { error: "an object with at least `directory`" },
);

/** The keys of the namespace `slipway`. */
export const configSchema = z.strictObject({
  region: text("a region of DigitalOcean, such as `fra1`").default("fra1"),
  host: host.prefault({}),
  database: database.optional(),
  app: z.looseObject({ directory }, { error: "an object with at least `directory`" }).optional(),
  apps: z.record(z.string(), oneOfSeveral, { error: "an object of apps by name" }).default({}),
  environment: variables.default({}),
  secrets: variables.default({}),
  secretKeyGenerations,
  registry: registry.optional(),
  dns: z
    .strictObject({ zone: text("a domain that DigitalOcean serves") }, { error: "an object with `zone`" })
    .optional(),
  releasesFile,
  keepReleases: whole("a whole number from 1").min(1, { error: "a whole number from 1" }).optional(),
  requireDigests: flag.optional(),
  minFreeMib: whole("a whole number of MiB").optional(),
  minFreeMemoryMib: whole("a whole number of MiB").optional(),
  lockTimeoutSeconds: whole("a whole number of seconds").optional(),
  acme: z
    .strictObject(
      {
        directory: z.url({ protocol: /^https?$/, error: "the URL of an ACME directory" }),
        caCertificateFile: text("the path of a PEM file").optional(),
      },
      { error: "an object with `directory`" },
    )
    .optional(),
});

/** Keys of one of several apps that are not part of its description. */
export const ownKeysOfApps = Object.keys(ownKeys);

/** Paths whose values are secret; `*` is any key. */
export const secretPaths = [
  "host.privateKey",
  "host.existing.privateKey",
  "registry.password",
  "secrets.*",
  "apps.*.registry.password",
  "apps.*.secrets.*",
];
