import type * as pulumi from "@pulumi/pulumi";
import type { Host } from "../release/host";
import { RemoteScript } from "../release/remoteScript";
import { leaveCommand } from "./dataVolume";

/** What is handed over. */
export interface HandOverArgs {
  /** The machine that serves. */
  readonly host: Host;
  /** Whether users reach it at an address that moves to the next machine. */
  readonly addressMoves: boolean;
}

/**
 * The moment between two machines. Made after the releases on the new one; before that, the old one takes no new
 * connection and ends those that it has, so that none is cut when the address moves. Let the assignment of
 * the address depend on it.
 *
 * When the next machine does not come within 5 minutes, the old one takes connections again.
 */
export function handOver(
  name: string,
  { host, addressMoves }: HandOverArgs,
  opts?: pulumi.ComponentResourceOptions,
): RemoteScript {
  return new RemoteScript(
    name,
    {
      host,
      entry: "door.sh",
      scripts: ["leave.sh"],
      files: { "address-moves": `${addressMoves}\n` },
      onLeave: leaveCommand("door"),
      timeoutSeconds: 300,
    },
    opts,
  );
}
