// The place of one app on one host, from the first release to the day the app leaves the program.
import * as pulumi from "@pulumi/pulumi";
import { refuseProblems, type Problem } from "../app/problem";
import { validateAppName } from "../app/validateApp";
import { dayTwoScripts } from "./day2";
import type { Host } from "./host";
import { RemoteScript } from "./remoteScript";

/** Arguments of an {@link AppSlot}. */
export interface AppSlotArgs {
  /** The machine that the app runs on. */
  readonly host: Host;
  /**
   * Name of the app: lower case letters, digits and dashes, at most 30, as `name` of the App. A change makes another slot;
   * refused on the host when another stack has an app of this name there.
   */
  readonly app: string;
  /** Whether taking the app out of the program also removes its volumes, uploads included. @default false */
  readonly deleteData?: boolean;
}

/** Every problem of the arguments that shows before the first resource. */
export function validateAppSlotArgs(args: AppSlotArgs): Problem[] {
  return validateAppName("app", args.app);
}

/**
 * Reserves two loopback ports and a directory for an app, and takes its containers, networks and route away when it
 * leaves the program. Releases do not touch it. When the whole machine goes, nothing is removed piece by piece.
 *
 * Never replaced: on another machine it is made there by an update, and what was on the old one goes with that.
 */
export class AppSlot extends pulumi.ComponentResource {
  /** Name of the app. */
  public readonly app: string;
  /** What reserves the place and, when the slot goes, clears it. */
  public readonly script: RemoteScript;

  constructor(name: string, args: AppSlotArgs, opts?: pulumi.ComponentResourceOptions) {
    refuseProblems(`AppSlot "${name}"`, validateAppSlotArgs(args));
    super("slipway:index:AppSlot", name, {}, opts);
    this.app = args.app;
    this.script = new RemoteScript(
      name,
      {
        host: args.host,
        entry: "slot.sh",
        scripts: ["lib.sh", "remove.sh", ...dayTwoScripts],
        files: {
          "slot.json": JSON.stringify({
            app: args.app,
            deleteData: args.deleteData ?? false,
            // A host may serve several stacks: of one name each has to have its own.
            owner: `${pulumi.getProject()}/${pulumi.getStack()}`,
          }),
        },
        onRemove: removeCommand(args.app),
      },
      { parent: this },
    );
    this.registerOutputs({ app: this.app });
  }
}

// The host keeps the script that removes the app, so that a removal needs no payload.
function removeCommand(app: string): string {
  const script = `/var/lib/slipway/${app}/remove.sh`;
  return `S=; [ "$(id -u)" = 0 ] || S='sudo -n'; ! $S test -e ${script} || $S ${script}`;
}
