import { isIPv4 } from "node:net";
import type { Member } from "./containers";
import { dockerExec } from "./docker";
import { readState, writeState } from "./files";
import type { Sandbox } from "./sandbox";

/** One trusted source of a database cluster, in DigitalOcean's words. */
export interface FirewallRule {
  readonly type: "tag" | "ip_addr" | "droplet";
  readonly value: string;
}

const file = "firewalls.json";
type Firewalls = Readonly<Record<string, readonly FirewallRule[]>>;

/** Lets only the named sources reach the cluster. No rules at all means open, as at DigitalOcean. */
export async function setFirewall(
  sandbox: Sandbox,
  clusterId: string,
  rules: readonly FirewallRule[],
): Promise<void> {
  rules.forEach((rule, index) => {
    if (rule.type === "ip_addr" && !isIPv4(rule.value.replace(/\/\d+$/, ""))) {
      throw new Error(
        `database firewall: rules[${index}].value is ${JSON.stringify(rule.value)}; accepted: an IPv4 address or range`,
      );
    }
  });
  const member = await sandbox.get("database", clusterId);
  await sandbox.exclusive(async () => {
    const all = await readState<Firewalls>(sandbox, file, {});
    await writeState(sandbox, file, { ...all, [clusterId]: rules });
  });
  await apply(member, rules, await sandbox.members("droplet"));
}

/** Applies the rules again after droplets came or went: a tag means whoever carries it now. */
export async function refreshFirewalls(sandbox: Sandbox): Promise<void> {
  const all = await readState<Firewalls>(sandbox, file, {});
  if (Object.keys(all).length === 0) return;
  const [clusters, droplets] = await Promise.all([sandbox.members("database"), sandbox.members("droplet")]);
  await Promise.all(
    clusters.flatMap((cluster) => {
      const rules = all[cluster.id];
      return rules === undefined || !cluster.running ? [] : [apply(cluster, rules, droplets)];
    }),
  );
}

export async function forgetFirewall(sandbox: Sandbox, clusterId: string): Promise<void> {
  await sandbox.exclusive(async () => {
    const all = Object.entries(await readState<Firewalls>(sandbox, file, {}));
    await writeState(sandbox, file, Object.fromEntries(all.filter(([id]) => id !== clusterId)));
  });
}

async function apply(
  cluster: Member,
  rules: readonly FirewallRule[],
  droplets: readonly Member[],
): Promise<void> {
  await dockerExec(cluster.container, ["postgres.sh", "firewall"], {
    input: renderFirewall(rules, droplets),
  });
}

/** The rules as iptables-restore reads them. Connections that are open already are cut as well. */
export function renderFirewall(rules: readonly FirewallRule[], droplets: readonly Member[]): string {
  const sources = rules.flatMap((rule) => {
    if (rule.type === "ip_addr") return [rule.value];
    const chosen = droplets.filter((droplet) =>
      rule.type === "droplet"
        ? droplet.id === rule.value
        : (JSON.parse(droplet.labels["slipway.tags"] ?? "[]") as string[]).includes(rule.value),
    );
    return chosen.flatMap((droplet) => [droplet.labels["slipway.public"], droplet.labels["slipway.private"]]);
  });
  const ports = "-p tcp --dport 25060:25061";
  const accepted = sources.flatMap((source) =>
    source === undefined ? [] : [`-A INPUT ${ports} -s ${source} -j ACCEPT`],
  );
  const refused = rules.length === 0 ? [] : [`-A INPUT ${ports} -j REJECT --reject-with tcp-reset`];
  return [
    "*filter",
    ":INPUT ACCEPT [0:0]",
    "-A INPUT -i lo -j ACCEPT",
    ...accepted,
    ...refused,
    "COMMIT",
    "",
  ].join("\n");
}
