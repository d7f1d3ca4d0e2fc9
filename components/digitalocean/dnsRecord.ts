// The A record of one of the app's domains, in a zone that DigitalOcean serves.
import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import { refuseProblems, type Problem } from "../app/problem";

/** Arguments of a {@link DnsRecord}. */
export interface DnsRecordArgs {
  /** The zone, such as `example.com`. It has to exist in the account. */
  readonly zone: string;
  /** The full name that shall resolve: the zone itself or a name below it. */
  readonly domain: string;
  /** IPv4 address that it resolves to. */
  readonly address: pulumi.Input<string>;
  /** How long resolvers may keep the answer, in seconds, 30 to 86400. @default 300 */
  readonly ttlSeconds?: number;
}

/** Whether a domain is the zone or lies in it. */
export function isInZone(domain: string, zone: string): boolean {
  return domain === zone || domain.endsWith(`.${zone}`);
}

/** Every problem of the arguments that shows before the first resource. */
export function validateDnsRecordArgs(args: DnsRecordArgs): Problem[] {
  const problems: Problem[] = [];
  if (!/^([a-z0-9-]+\.)+[a-z0-9-]{2,}$/.test(args.zone)) {
    problems.push({
      path: "zone",
      received: JSON.stringify(args.zone),
      accepted: "a domain in lower case, such as `example.com`",
      cure: "list those of the account: doctl compute domain list",
    });
  } else if (!isInZone(args.domain, args.zone)) {
    problems.push({
      path: "domain",
      received: JSON.stringify(args.domain),
      accepted: `\`${args.zone}\` or a name that ends in \`.${args.zone}\``,
      cure: "name the zone that the domain belongs to, or make its record where that zone is served",
    });
  }
  const ttl = args.ttlSeconds;
  if (ttl !== undefined && !(Number.isInteger(ttl) && ttl >= 30 && ttl <= 86400)) {
    problems.push({
      path: "ttlSeconds",
      received: JSON.stringify(ttl),
      accepted: "a whole number from 30 to 86400",
      cure: "leave it out for 300",
    });
  }
  return problems;
}

/** One A record. Replaced when the zone changes; another address is a change in place. */
export class DnsRecord extends pulumi.ComponentResource {
  /** The A record. */
  public readonly record: digitalocean.DnsRecord;

  constructor(name: string, args: DnsRecordArgs, opts?: pulumi.ComponentResourceOptions) {
    refuseProblems(`DnsRecord "${name}"`, validateDnsRecordArgs(args));
    super("slipway:index:DnsRecord", name, args, opts);

    const label = args.domain === args.zone ? "@" : args.domain.slice(0, -args.zone.length - 1);
    this.record = new digitalocean.DnsRecord(
      name,
      { domain: args.zone, type: "A", name: label, value: args.address, ttl: args.ttlSeconds ?? 300 },
      { parent: this },
    );

    this.registerOutputs({ fqdn: this.record.fqdn });
  }
}
