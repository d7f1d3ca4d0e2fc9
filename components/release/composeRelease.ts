// One release of one app, shipped to one host.
import * as pulumi from "@pulumi/pulumi";
import {
  classicEnvironment,
  encodeDotenv,
  refuseProblems,
  resolveApp,
  validateApp,
  type App,
  type Problem,
} from "../app";
import type { AppSlot } from "./appSlot";
import { composeOverride, unpinnedImages } from "./composeOverride";
import { rollbackVariables } from "./day2";
import { renderEdgeSite, type EdgeAcme } from "./edgeSite";
import type { Host } from "./host";
import type { Receipt } from "./receipt";
import { RemoteScript } from "./remoteScript";
import { secretForms } from "./secretForms";

/** A registry that the host fetches images from, with credentials that may only read. */
export interface RegistryLogin {
  /** Name of the registry, with a port if it needs one, such as `registry.gitlab.com`. */
  readonly server: pulumi.Input<string>;
  /** Name to log in with. */
  readonly username: pulumi.Input<string>;
  /** Token that may read and no more; kept as a secret, and on the host no longer than the release takes. */
  readonly password: pulumi.Input<string>;
}

/** Arguments of a {@link ComposeRelease}. */
export interface ComposeReleaseArgs {
  /** The machine that it is shipped to. */
  readonly host: Host;
  /** The slot of this app on the same host. */
  readonly slot: AppSlot;
  /** What is shipped. */
  readonly app: App;
  /** Number of the release. Another number is another release, also when it goes back to older images. */
  readonly release: number;
  /** Login of the registry that the images come from. @default none: the images are public */
  readonly registry?: RegistryLogin;
  /** How many releases stay on the host, this one included, so that going back fetches nothing. @default 3 */
  readonly keepReleases?: number;
  /** Whether an image without a digest is refused. @default true */
  readonly requireDigests?: boolean;
  /** Free disk space below which a release is refused, in MiB. @default 1024 */
  readonly minFreeMib?: number;
  /**
   * Memory that has to be left while two releases run, in MiB. A release is refused when less than this and what the
   * running one holds (at least 128) is available, half of the swap included. @default 64
   */
  readonly minFreeMemoryMib?: number;
  /** How long to wait for another run on this host to end, in seconds. @default 600 */
  readonly lockTimeoutSeconds?: number;
  /** Where certificates come from. @default Let's Encrypt */
  readonly acme?: EdgeAcme;
  /** After this many seconds the release is stopped and taken back. @default 1800 */
  readonly timeoutSeconds?: number;
}

const scripts = [
  "lib",
  "undo",
  "recover",
  "preflight",
  "fetch",
  "migrate",
  "colour",
  "gate",
  "probe",
  "static",
  "edge",
  "aside",
  "adopt",
  "takeover",
  "back-to-classic",
  "workers",
  "recreate",
  "keep",
];

/** What each optional argument means when it is left out. */
export function resolveComposeReleaseDefaults(args: ComposeReleaseArgs) {
  return {
    keepReleases: args.keepReleases ?? 3,
    requireDigests: args.requireDigests ?? true,
    minFreeMib: args.minFreeMib ?? 1024,
    minFreeMemoryMib: args.minFreeMemoryMib ?? 64,
    lockTimeoutSeconds: args.lockTimeoutSeconds ?? 600,
    timeoutSeconds: args.timeoutSeconds ?? 1800,
  };
}

/**
 * Ships a release: fetches its images by digest, migrates once, starts it beside the old one, waits for it to answer,
 * switches the edge, lets the old requests end, removes the old containers. Whatever fails before the switch leaves the
 * old release serving and fails the update with the cause, the cure and the end of the log.
 *
 * Runs again when the release number, the machine, or any of what is shipped changes. The same release again changes
 * nothing on the host.
 */
export class ComposeRelease extends pulumi.ComponentResource {
  /** What the release left behind, as the host tells it. */
  public readonly receipt: pulumi.Output<Receipt>;
  /** What ships the release. */
  public readonly script: RemoteScript;

  constructor(name: string, args: ComposeReleaseArgs, opts?: pulumi.ComponentResourceOptions) {
    const title = `ComposeRelease "${name}"`;
    refuseProblems(title, validateComposeRelease(args));
    super("slipway:index:ComposeRelease", name, {}, opts);
    const app = resolveApp(args.app);
    const options = resolveComposeReleaseDefaults(args);
    const { override, stateful, roles, notes } = composeOverride(app);
    for (const note of notes) void pulumi.log.info(note, this);

    const registry = args.registry === undefined ? undefined : pulumi.output(args.registry);
    // What was not known before is checked when it is, and only what was checked goes on.
    const settled = pulumi
      .all([app.images, app.health.host, app.environment, app.secrets])
      .apply(([images, host, environment, secrets]) => {
        const known = { images, health: { ...app.health, host }, environment, secrets };
        refuseProblems(title, validateApp({ ...args.app, ...known }));
        return known;
      });
    // The caller's variables win over those of the classic contract.
    const environment = pulumi.all([settled, registry]).apply(([known, login]) =>
      encodeDotenv({
        ...classicEnvironment({ images: known.images, registry: login }),
        ...known.environment,
        ...known.secrets,
      }),
    );
    const secrets = pulumi
      .all([settled, args.registry?.password ?? ""])
      .apply(([known, password]) => JSON.stringify(secretForms([...Object.values(known.secrets), password])));
    const spec = settled.apply(({ images, health }) =>
      JSON.stringify({
        app: app.name,
        release: args.release,
        images,
        health,
        scheme: app.domains.length > 0 ? "https" : "http",
        domains: app.domains,
        migrate: app.migrate ?? null,
        backup: app.backup ?? null,
        services: roles.colour,
        workers: app.workers,
        singletons: app.singletons,
        strategy: app.strategy,
        perReleaseVolumes: app.perReleaseVolumes,
        drainSeconds: app.drainSeconds,
      }),
    );

    this.script = new RemoteScript(
      name,
      {
        host: {
          connection: args.host.connection,
          identity: args.host.identity,
          machine: args.host.machine,
          ready: [...args.host.ready, ...(args.host.storage ?? []), args.slot],
        },
        entry: "release.sh",
        scripts: [...scripts.map((script) => `${script}.sh`), "recover.service"],
        files: {
          "release.json": spec,
          // Not part of what the release consists of: none of it makes a release another one.
          "options.json": JSON.stringify({
            ...options,
            ingress: app.ingress.service,
            imageVariables: rollbackVariables(args.app),
            adopt: app.adopt ?? null,
            stateful: app.stateful,
          }),
          "site.caddy": renderEdgeSite(app, { acme: args.acme }),
          ...(app.strategy === "recreate" && {
            "handover.caddy": renderEdgeSite(app, { acme: args.acme, handover: true }),
          }),
          ...(args.acme?.caCertificate === undefined ? {} : { "acme-ca.pem": args.acme.caCertificate }),
          "app/compose.yml": app.compose,
          "app/override.yml": override,
          ...(stateful === undefined ? {} : { "app/stateful.yml": stateful }),
          "app/.env": pulumi.secret(environment),
          ...Object.fromEntries(
            Object.entries(app.files).map(([file, content]) => [`app/files/${file}`, content]),
          ),
          "secrets.json": pulumi.secret(secrets),
          "registry.json": pulumi.secret(registry?.apply((login) => JSON.stringify(login)) ?? ""),
        },
        triggers: [args.release],
        timeoutSeconds: options.timeoutSeconds,
      },
      { parent: this },
    );
    this.receipt = this.script.receipt as unknown as pulumi.Output<Receipt>;
    this.registerOutputs({ receipt: this.receipt });
  }
}

/** Every problem of the arguments that can be seen before anything is registered. */
export function validateComposeRelease(args: ComposeReleaseArgs): Problem[] {
  const problems: Problem[] = [...validateApp(args.app), ...composeOverride(args.app).problems];
  if (args.requireDigests ?? true) problems.push(...unpinnedImages(args.app));
  const wholeNumber = (
    path: "release" | keyof ReturnType<typeof resolveComposeReleaseDefaults>,
    least: number,
  ): void => {
    const received = args[path];
    if (received === undefined || (Number.isInteger(received) && Number(received) >= least)) return;
    problems.push({
      path,
      received: String(received),
      accepted: `a whole number from ${least} on`,
      cure: `Give ${path} such a number.`,
    });
  };
  wholeNumber("release", 1);
  wholeNumber("keepReleases", 1);
  wholeNumber("minFreeMib", 0);
  wholeNumber("minFreeMemoryMib", 0);
  wholeNumber("lockTimeoutSeconds", 0);
  wholeNumber("timeoutSeconds", 60);
  if (args.slot.app !== args.app.name) {
    problems.push({
      path: "slot",
      received: `the slot of ${args.slot.app}`,
      accepted: `a slot of ${args.app.name}`,
      cure: "Give the AppSlot that was made for this app.",
    });
  }
  return problems;
}
