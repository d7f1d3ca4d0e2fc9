import type { Member } from "../../../../cli/sandbox/bodies/containers";
import { renderFirewall } from "../../../../cli/sandbox/bodies/firewall";

const droplet = (id: string, tags: string[]): Member => ({
  ...{ id, role: "droplet", container: id, running: true, stopped: false },
  labels: {
    "slipway.public": `10.200.0.${id}`,
    "slipway.private": `10.110.0.${id}`,
    "slipway.tags": JSON.stringify(tags),
  },
});
const droplets = [droplet("10", ["app"]), droplet("11", ["other"])];
const accepted = (rules: Parameters<typeof renderFirewall>[0]) =>
  [...renderFirewall(rules, droplets).matchAll(/-s (\S+) -j ACCEPT/g)].map((match) => match[1]);

describe("a database firewall", () => {
  it("is open without rules, as at DigitalOcean", () => {
    expect(renderFirewall([], droplets)).not.toContain("REJECT");
  });

  it("admits both addresses of the droplets that carry the tag", () => {
    expect(accepted([{ type: "tag", value: "app" }])).toEqual(["10.200.0.10", "10.110.0.10"]);
  });

  it("admits a droplet by id and an address as it is", () => {
    const rules = [
      { type: "droplet", value: "11" },
      { type: "ip_addr", value: "192.0.2.0/24" },
    ] as const;
    expect(accepted(rules)).toEqual(["10.200.0.11", "10.110.0.11", "192.0.2.0/24"]);
  });

  it("refuses everybody when nobody carries the tag", () => {
    const text = renderFirewall([{ type: "tag", value: "nobody" }], droplets);
    expect(text).toContain("-A INPUT -p tcp --dport 25060:25061 -j REJECT --reject-with tcp-reset");
    expect(text).not.toMatch(/-s .*ACCEPT/);
  });
});
