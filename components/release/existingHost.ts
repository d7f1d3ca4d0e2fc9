// A server that is already there: the same Host and the same prepare step as a droplet of ours.
import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { refuseProblems, type Problem } from "../app/problem";
import { checkAuthorizedKeys } from "./authorizedKeys";
import { checkConnection } from "./checkConnection";
import { deployPublicKey, validatePrivateKey } from "./deployKey";
import type { Host } from "./host";
import { parsePublicKey, validateAuthorizedKey, validateHostKey } from "./hostKey";
import { prepareHost } from "./prepareHost";

/** Arguments of an {@link ExistingHost}. */
export interface ExistingHostArgs {
  /** Address or name that SSH connects to. */
  readonly address: pulumi.Input<string>;
  /**
   * The server's public host key, as in /etc/ssh/ssh_host_ed25519_key.pub. Another one means another machine, and
   * everything is done again, unless `identity` stays the same.
   */
  readonly hostKey: pulumi.Input<string>;
  /** Private key of `user`, without a passphrase. */
  readonly privateKey: pulumi.Input<string>;
  /** A user with `sudo` and no password, or root. @default "deploy" */
  readonly user?: string;
  /** Port of SSH, 1 to 65535. @default 22 */
  readonly port?: number;
  /**
   * Public keys that may log in as `user`, besides that of `privateKey`. Given, even empty, they replace the user's
   * `authorized_keys`: whoever is not among them is locked out. @default the file stays as it is
   */
  readonly authorizedKeys?: readonly pulumi.Input<string>[];
  /**
   * Any text that names the machine: another one means another machine. Set it to `hostKeyFingerprint` before a
   * change of the server's host key, and nothing is done again. @default the fingerprint of `hostKey`
   */
  readonly identity?: pulumi.Input<string>;
  /** Swap file in MiB; 0 leaves the swap as it is. @default 0 */
  readonly swapMib?: number;
}

/** Every problem of the arguments that shows before the first resource. */
export function validateExistingHostArgs(args: ExistingHostArgs): Problem[] {
  const problems: Problem[] = [];
  if (typeof args.address === "string" && !/^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$/.test(args.address)) {
    problems.push({
      path: "address",
      received: JSON.stringify(args.address),
      accepted: "an IP address or a host name",
      cure: "leave out user and port, they have keys of their own",
    });
  }
  if (args.user !== undefined && !/^[a-z_][a-z0-9_-]{0,31}$/.test(args.user)) {
    problems.push({
      path: "user",
      received: JSON.stringify(args.user),
      accepted: "the name of a Unix user",
      cure: "use lower case letters, digits, `-` and `_`",
    });
  }
  if (args.port !== undefined && !(Number.isInteger(args.port) && args.port > 0 && args.port < 65536)) {
    problems.push({
      path: "port",
      received: JSON.stringify(args.port),
      accepted: "a whole number from 1 to 65535",
      cure: "leave it out for 22",
    });
  }
  if (args.identity === "") {
    problems.push({
      path: "identity",
      received: '""',
      accepted: "a text that names the machine",
      cure: "leave it out for the fingerprint of hostKey",
    });
  }
  if (typeof args.hostKey === "string") problems.push(...validateHostKey("hostKey", args.hostKey));
  if (typeof args.privateKey === "string")
    problems.push(...validatePrivateKey("privateKey", args.privateKey));
  args.authorizedKeys?.forEach((key, index) => {
    if (typeof key === "string") problems.push(...validateAuthorizedKey(`authorizedKeys[${index}]`, key));
  });
  return problems;
}

/**
 * A server that somebody else made. Nothing of it is created or removed; the prepare step installs Docker and the
 * edge where they are missing. What ran on it before keeps running, and who could log in still can, unless
 * `authorizedKeys` says otherwise.
 *
 * @example
 * const host = new ExistingHost("host", { address: "203.0.113.7", hostKey, privateKey: config.requireSecret("key") });
 */
export class ExistingHost extends pulumi.ComponentResource implements Host {
  /** How it is reached: address, port, user, private key and pinned host key. Secret. */
  public readonly connection: pulumi.Output<command.types.input.remote.ConnectionArgs>;
  /** The `identity` that was given, or the fingerprint of the host key. */
  public readonly identity: pulumi.Output<string>;
  /** The prepare step. */
  public readonly ready: readonly pulumi.Resource[];
  /** The address that was given. */
  public readonly address: pulumi.Output<string>;
  /** As `ssh` shows it: `SHA256:…`. */
  public readonly hostKeyFingerprint: pulumi.Output<string>;

  constructor(name: string, args: ExistingHostArgs, opts?: pulumi.ComponentResourceOptions) {
    const title = `ExistingHost "${name}"`;
    refuseProblems(title, validateExistingHostArgs(args));
    const privateKey = pulumi.secret(args.privateKey);
    super("slipway:index:ExistingHost", name, { ...args, privateKey }, opts);
    const user = args.user ?? "deploy";

    const hostKey = pulumi.output(args.hostKey).apply((line) => {
      refuseProblems(title, validateHostKey("hostKey", line));
      return parsePublicKey(line);
    });
    const deployKey = deployPublicKey(title, "privateKey", privateKey);
    // A key that is none is refused here, and not by the first connection.
    const checkedKey = pulumi.all([privateKey, deployKey]).apply(([key]) => key);
    this.address = pulumi.output(args.address);
    this.hostKeyFingerprint = hostKey.fingerprint;
    this.identity = args.identity === undefined ? hostKey.fingerprint : pulumi.output(args.identity);
    this.connection = checkConnection(
      pulumi.secret({
        host: this.address,
        port: args.port ?? 22,
        user,
        privateKey: checkedKey,
        hostKey: hostKey.line,
      }),
      title,
    );
    this.ready = [
      prepareHost(
        `${name}-prepare`,
        { connection: this.connection, identity: this.identity, ready: [] },
        {
          user,
          authorizedKeys:
            args.authorizedKeys === undefined
              ? []
              : checkAuthorizedKeys(title, deployKey, args.authorizedKeys),
          swapMib: args.swapMib ?? 0,
        },
        { parent: this },
      ),
    ];

    this.registerOutputs({
      address: this.address,
      identity: this.identity,
      hostKeyFingerprint: this.hostKeyFingerprint,
    });
  }
}
