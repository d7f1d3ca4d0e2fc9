import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Host } from "./host";
import { encodePayload, readScript, unpackCommand } from "./payload";

/** Arguments of a {@link RemoteScript}. */
export interface RemoteScriptArgs {
  /** Where it runs. */
  readonly host: Host;
  /** File of `scripts/` that is run, with the payload's directory as its only argument. */
  readonly entry: string;
  /** Further files of `scripts/` that the entry sources. @default none */
  readonly scripts?: readonly string[];
  /** Files of the payload by name. They may hold secrets: they travel on stdin and stay in a 0700 directory on a tmpfs. @default none */
  readonly files?: Readonly<Record<string, pulumi.Input<string>>>;
  /** A change of one of these runs the script again. A change of a script or file does so too. @default none */
  readonly triggers?: readonly pulumi.Input<unknown>[];
  /** After this many seconds the script is told to stop and to undo what it began. @default 1800 */
  readonly timeoutSeconds?: number;
  /**
   * One constant line that is run on the old machine before the script is run on another one, and when the script
   * leaves the program while the machine stays. @default none
   */
  readonly onLeave?: string;
  /** Whether only a new machine runs it: a later change of the files or of the connection does not. @default false */
  readonly once?: boolean;
  /** One constant line that takes away what the script made. Not for releases: a replaced one would remove its successor. @default none */
  readonly onRemove?: string;
}

/**
 * Runs a shell script of this library on a host over SSH, and the only place that does.
 *
 * The script, its settings and its secrets go over stdin as one payload; nothing of them is in the command line, the
 * environment or the plain state. The script prints one line of JSON, which becomes `receipt`. It has to be safe
 * to run again: every change of its inputs runs it, also when merely the connection changed
 * (https://www.pulumi.com/registry/packages/command/api-docs/remote/command/).
 *
 * Replaced, without a remote deletion, when the machine or a trigger changes; with `onRemove` it is never replaced, and
 * with `onLeave` the old one goes before the new one is made.
 */
export class RemoteScript extends pulumi.ComponentResource {
  /** The line of JSON that the script printed. */
  public readonly receipt: pulumi.Output<Readonly<Record<string, unknown>>>;
  /** What runs the script over SSH. */
  public readonly command: command.remote.Command;

  constructor(name: string, args: RemoteScriptArgs, opts?: pulumi.ComponentResourceOptions) {
    super("slipway:index:RemoteScript", name, {}, opts);
    const scripts = [args.entry, "start.sh", ...(args.scripts ?? [])];
    const settings = {
      // What systemd takes as the name of a unit.
      UNIT: name.replace(/[^A-Za-z0-9_.-]/g, "-"),
      ENTRY: args.entry,
      TIMEOUT_SECONDS: String(args.timeoutSeconds ?? 1800),
    };
    const payload = pulumi.all(args.files ?? {}).apply((files) =>
      encodePayload({
        ...files,
        ...Object.fromEntries(scripts.map((script) => [script, readScript(script)])),
        "run.conf": Object.entries(settings)
          .map(([key, value]) => `${key}='${value}'\n`)
          .join(""),
      }),
    );
    this.command = new command.remote.Command(
      name,
      {
        connection: pulumi.secret(args.host.connection),
        create: unpackCommand(),
        delete: args.onRemove ?? args.onLeave,
        stdin: pulumi.secret(payload),
        // What has a removal is not replaced: a new machine has another connection, and that is an update.
        triggers: args.onRemove === undefined ? [args.host.identity, ...(args.triggers ?? [])] : undefined,
        logging: "none",
        addPreviousOutputInEnv: false,
      },
      {
        parent: this,
        dependsOn: [...args.host.ready],
        deleteBeforeReplace: args.onLeave !== undefined || undefined,
        ...(args.once
          ? { ignoreChanges: ["connection", "create", "stdin", "triggers"] }
          : { deletedWith: args.host.machine }),
      },
    );
    this.receipt = this.command.stdout.apply((stdout) => parseReceipt(name, stdout));
    this.registerOutputs({ receipt: this.receipt });
  }
}

/** The receipt in what a script printed. */
export function parseReceipt(name: string, stdout: string): Readonly<Record<string, unknown>> {
  const line = stdout.trim().split("\n").at(-1) ?? "";
  try {
    return JSON.parse(line) as Readonly<Record<string, unknown>>;
  } catch {
    throw new Error(
      `RemoteScript "${name}": the script ended without a receipt; received ${JSON.stringify(line.slice(0, 200))}, ` +
        "accepted is one line of JSON. Look at the journal of the host: journalctl -t bash --since -1h",
    );
  }
}
