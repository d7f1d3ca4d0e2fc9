/** @jest-environment ./test/support/rejections.ts */
import * as pulumi from "@pulumi/pulumi";
import {
  DnsRecord,
  ReservedIpAssignment,
  type DnsRecordArgs,
  type ReservedIpAssignmentArgs,
} from "../../../components/digitalocean";
import { accountName } from "../../../components/digitalocean/names";
import { answers } from "../../support/cloud";
import { record, recordFailure, valueOf } from "../../support/recorder";

const assign = (args: Partial<ReservedIpAssignmentArgs>) => () => ({
  assignment: new ReservedIpAssignment("address", { ipAddress: "198.51.100.9", dropletId: "101", ...args }),
});
const name = (args: Partial<DnsRecordArgs>) => () => ({
  dns: new DnsRecord("dns", { zone: "example.com", domain: "example.com", address: "198.51.100.9", ...args }),
});

describe("a ReservedIpAssignment", () => {
  test("gives the droplet's number, which is a text elsewhere", async () => {
    const recording = await record(assign({ dropletId: pulumi.output("101") }), { answers });
    expect(recording.find("digitalocean:index/reservedIpAssignment:ReservedIpAssignment").inputs).toEqual({
      ipAddress: "198.51.100.9",
      dropletId: 101,
    });
  });

  test.each<[Partial<ReservedIpAssignmentArgs>, string]>([
    [{ ipAddress: "2001:db8::1" }, 'ipAddress: received "2001:db8::1"'],
    [{ dropletId: "SHA256:abc" }, 'dropletId: received "SHA256:abc"'],
  ])("%j is refused before anything is registered", async (args, expected) => {
    const { message, urns } = await recordFailure(assign(args), { answers });
    expect(message).toContain(expected);
    expect(urns).toEqual([]);
  });

  test("a droplet's id that turns out to be none is refused before the assignment", async () => {
    const { message, urns } = await recordFailure(
      assign({ dropletId: pulumi.output(Promise.resolve("web")) }),
      { answers },
    );
    expect(message).toContain('dropletId: received "web"');
    expect(urns.join()).not.toContain("digitalocean:");
  });
});

describe("a DnsRecord", () => {
  test.each([
    ["example.com", "@"],
    ["www.example.com", "www"],
    ["a.b.example.com", "a.b"],
  ])("%s is %s in the zone", async (domain, label) => {
    const recording = await record(name({ domain }), { answers });
    expect(recording.find("digitalocean:index/dnsRecord:DnsRecord").inputs).toEqual({
      domain: "example.com",
      type: "A",
      name: label,
      value: "198.51.100.9",
      ttl: 300,
    });
  });

  test.each<[Partial<DnsRecordArgs>, string]>([
    [{ zone: "Example.com" }, 'zone: received "Example.com"'],
    [{ domain: "notexample.com" }, 'domain: received "notexample.com"'],
    [{ ttlSeconds: 5 }, "ttlSeconds: received 5"],
  ])("%j is refused before anything is registered", async (args, expected) => {
    const { message, urns } = await recordFailure(name(args), { answers });
    expect(message).toContain(expected);
    expect(urns).toEqual([]);
  });
});

describe("names in the account", () => {
  const nameOf = async (project: string, stack: string, ...parts: string[]) => {
    const { outputs } = await record(() => ({ name: pulumi.output(accountName(...parts)) }), {
      answers,
      project,
      stack,
    });
    return valueOf(outputs.name);
  };

  test("two stacks can share an account", async () => {
    expect(await nameOf("slipway", "staging", "host")).toBe("slipway-staging-host");
    expect(await nameOf("slipway", "production", "host")).toBe("slipway-production-host");
  });

  test("what no kind of resource accepts is left out, and long names stay apart", async () => {
    expect(await nameOf("7_My.Shop", "Prod", "host")).toBe("my-shop-prod-host");
    const long = await Promise.all(["a", "b"].map((last) => nameOf("p".repeat(60), "prod", `host-${last}`)));
    expect(new Set(long).size).toBe(2);
    for (const one of long) expect(one).toMatch(/^[a-z][a-z0-9-]{1,62}$/);
  });
});
