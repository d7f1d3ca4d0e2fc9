import type * as command from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";

/**
 * A machine that releases can be shipped to: a droplet, a server that was already there, a container of the
 * sandbox. Everything that works over SSH takes a Host and nothing more.
 */
export interface Host {
  /** How to reach it: address, user, private key and the pinned host key. Secret. */
  readonly connection: pulumi.Output<command.types.input.remote.ConnectionArgs>;
  /** Changes when the machine is another one, so that everything that was done on the old one is done again. */
  readonly identity: pulumi.Output<string>;
  /** What has to be finished before the machine is of use: its preparation. */
  readonly ready: readonly pulumi.Resource[];
  /** What has to be in place before an app starts: the data volume. What needs none goes ahead of it. @default nothing */
  readonly storage?: readonly pulumi.Resource[];
  /** The machine itself, when the program made it: what stood on it needs no cleaning up when it goes. */
  readonly machine?: pulumi.Resource;
}
