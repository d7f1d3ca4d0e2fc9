import type * as pulumi from "@pulumi/pulumi";

/** The service of the compose file that answers HTTP, and its port inside the container. */
export interface AppIngress {
  /** Name of the service. */
  readonly service: string;
  /** Port that the service listens on in the container, 1 to 65535. */
  readonly port: number;
}

/** The request that a new release has to answer with a 2xx status, redirects followed, before it takes traffic. */
export interface AppHealth {
  /** Absolute path, such as `/healthz`. */
  readonly path: string;
  /** Host header of the request: the name that users send. @default the first domain, or `localhost` without domains */
  readonly host?: pulumi.Input<string>;
  /** How long a new release may take until it answers, in seconds. @default 120 */
  readonly timeoutSeconds?: number;
}

/** A command that runs once in the new version: `docker compose run --rm SERVICE COMMAND`. */
export interface AppCommand {
  /** Name of the service whose image and environment it runs in. */
  readonly service: string;
  /** The program and its arguments, one word each; no shell in between. */
  readonly command: readonly string[];
}

/** Request limits of the edge for one app. */
export interface AppLimits {
  /** Largest request body in MiB. @default 100 */
  readonly maxBodyMib?: number;
  /** How long the app may take until it sends response headers, in seconds. @default 60 */
  readonly responseTimeoutSeconds?: number;
}

/** The compose project that ran the app on this host before Slipway did. */
export interface AppAdoption {
  /**
   * Name of the compose project: that of the directory which the classic script deploys to, so `app` for `/app`. Kept
   * volumes go by it for good; another name is another set of volumes.
   */
  readonly project: string;
}

/**
 * What is shipped, whatever it is shipped to. Plain values describe the shape; whatever another resource may
 * supply (a digest, a password, the certificate of a database) is an Input.
 */
export interface App {
  /** Lower case letters, digits and dashes, at most 30: names the containers, volumes and files on the host. */
  readonly name: string;
  /** The text of the compose file, as it is. */
  readonly compose: string;
  /** Where the edge sends requests. */
  readonly ingress: AppIngress;
  /** The request by which a new release shows that it works. */
  readonly health: AppHealth;
  /** `name -> repository@sha256:…`. `web` becomes `WEB_IMAGE`, and pins the service `web` if there is one. */
  readonly images: Readonly<Record<string, pulumi.Input<string>>>;
  /** Plain variables of the `.env` file, over the classic ones. @default none */
  readonly environment?: Readonly<Record<string, pulumi.Input<string>>>;
  /** Secret variables of the `.env` file: never printed, redacted in every log that leaves the host. @default none */
  readonly secrets?: Readonly<Record<string, pulumi.Input<string>>>;
  /** Files mounted read-only under `/etc/slipway/` in every container, such as a database's CA, by name. @default none */
  readonly files?: Readonly<Record<string, pulumi.Input<string>>>;
  /** Runs once per release, in the new image, before traffic. @default no migration */
  readonly migrate?: AppCommand;
  /** Runs once before the migration, in the release that still serves or in a stateful service. @default no backup */
  readonly backup?: AppCommand;
  /** Services with data of their own (a database, a broker): not restarted by a release. @default none */
  readonly stateful?: readonly string[];
  /**
   * Services that take work from a queue. They start when the release has passed its gate, and the old ones get their stop
   * signal before the switch, so that they take no more, and finish what they have. @default none
   */
  readonly workers?: readonly string[];
  /** Services that must never run twice, such as celery beat. @default none */
  readonly singletons?: readonly string[];
  /** Named volumes that go with their release (static files). All others are kept. @default none */
  readonly perReleaseVolumes?: readonly string[];
  /**
   * Takes over a host that a classic deploy script made: kept volumes keep the names that its project gave them, and
   * the first release takes the project's traffic over. Stays for good: the release after it was taken out is refused.
   * @default none: volumes are called after the app
   */
  readonly adopt?: AppAdoption;
  /**
   * How a release takes over. `blue-green`: it starts beside the old one, and nobody waits. `recreate`, for an app that
   * cannot run twice (SQLite, a lock on a file): the old one stops, then the new one migrates and starts; requests wait
   * at the edge meanwhile, at most 30 seconds each. Whatever fails, the old one is started again, on a database that the new one may
   * have migrated. @default "blue-green"
   */
  readonly strategy?: "blue-green" | "recreate";
  /**
   * How long requests and tasks of the old release may take to end, in seconds. A worker has its own `stop_grace_period`
   * when that is longer. @default 30
   */
  readonly drainSeconds?: number;
  /** Names under which the app answers, with automatic HTTPS. @default none: plain HTTP on the host's address */
  readonly domains?: readonly string[];
  /** Limits of requests at the edge. @default those of AppLimits */
  readonly limits?: AppLimits;
}

/** An App of which every field is filled in. */
export type ResolvedApp = Required<Omit<App, "migrate" | "backup" | "adopt">> &
  Pick<App, "migrate" | "backup" | "adopt"> & {
    readonly health: Required<AppHealth>;
    readonly limits: Required<AppLimits>;
  };

/** What each optional field of an App means when it is left out. */
export function resolveApp(app: App): ResolvedApp {
  return {
    ...app,
    health: {
      path: app.health.path,
      host: app.health.host ?? app.domains?.[0] ?? "localhost",
      timeoutSeconds: app.health.timeoutSeconds ?? 120,
    },
    environment: app.environment ?? {},
    secrets: app.secrets ?? {},
    files: app.files ?? {},
    stateful: app.stateful ?? [],
    workers: app.workers ?? [],
    singletons: app.singletons ?? [],
    perReleaseVolumes: app.perReleaseVolumes ?? [],
    strategy: app.strategy ?? "blue-green",
    drainSeconds: app.drainSeconds ?? 30,
    domains: app.domains ?? [],
    limits: {
      maxBodyMib: app.limits?.maxBodyMib ?? 100,
      responseTimeoutSeconds: app.limits?.responseTimeoutSeconds ?? 60,
    },
  };
}
