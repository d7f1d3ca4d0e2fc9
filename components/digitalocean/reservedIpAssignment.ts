// Points a reserved address at a droplet. A component of its own, so that a caller can make it depend on the
// release: the address moves to a new droplet when the app answers there, not before.
import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import { refuseProblems, type Problem } from "../app/problem";

/** Arguments of a {@link ReservedIpAssignment}. */
export interface ReservedIpAssignmentArgs {
  /** The reserved address, in the droplet's region. */
  readonly ipAddress: pulumi.Input<string>;
  /** Id of the droplet that shall answer under it. */
  readonly dropletId: pulumi.Input<string>;
}

function validateDropletId(id: string): Problem[] {
  if (/^\d+$/.test(id)) return [];
  return [
    {
      path: "dropletId",
      received: JSON.stringify(id),
      accepted: "the number of a droplet",
      cure: "give `identity` of a DockerHost; other hosts cannot carry a reserved address",
    },
  ];
}

/** Every problem of the arguments that shows before the first resource. */
export function validateReservedIpAssignmentArgs(args: ReservedIpAssignmentArgs): Problem[] {
  const problems: Problem[] = [];
  if (typeof args.ipAddress === "string" && !/^\d{1,3}(\.\d{1,3}){3}$/.test(args.ipAddress)) {
    problems.push({
      path: "ipAddress",
      received: JSON.stringify(args.ipAddress),
      accepted: "an IPv4 address",
      cure: "give `ipAddress` of a digitalocean.ReservedIp",
    });
  }
  if (typeof args.dropletId === "string") problems.push(...validateDropletId(args.dropletId));
  return problems;
}

/**
 * Assigns a reserved address to a droplet. Free while assigned.
 *
 * Replaced when the address or the droplet changes: the new assignment is made first, and the old one's removal
 * does not touch an address that has moved on
 * (https://github.com/digitalocean/terraform-provider-digitalocean, reserved_ip_assignment).
 */
export class ReservedIpAssignment extends pulumi.ComponentResource {
  /** The assignment of the address to the droplet. */
  public readonly assignment: digitalocean.ReservedIpAssignment;

  constructor(name: string, args: ReservedIpAssignmentArgs, opts?: pulumi.ComponentResourceOptions) {
    const title = `ReservedIpAssignment "${name}"`;
    refuseProblems(title, validateReservedIpAssignmentArgs(args));
    super("slipway:index:ReservedIpAssignment", name, args, opts);

    const dropletId = pulumi.output(args.dropletId).apply((id) => {
      refuseProblems(title, validateDropletId(id));
      return Number(id);
    });
    this.assignment = new digitalocean.ReservedIpAssignment(
      name,
      { ipAddress: args.ipAddress, dropletId },
      { parent: this },
    );

    this.registerOutputs({ ipAddress: this.assignment.ipAddress });
  }
}
