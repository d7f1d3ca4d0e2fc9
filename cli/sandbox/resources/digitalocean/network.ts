import { removeRecord, setRecord } from "../../bodies/dns";
import { dropletExec } from "../../bodies/droplet";
import {
  assignReservedIp,
  createReservedIp,
  deleteReservedIp,
  deleteVpc,
  ensureVpc,
  vpcNetwork,
} from "../../bodies/network";
import type { Sandbox } from "../../bodies/sandbox";
import type { Plain } from "../../properties";
import type { Provider } from "../handler";
import { now, number, numericId, optionalText, text } from "../inputs";

/** Private networks, addresses that move, and names that droplets and the ACME authority resolve. */
export function network(sandbox: Sandbox): Provider {
  return {
    resources: {
      "digitalocean:index/vpc:Vpc": {
        replaceOn: ["region", "ipRange"],
        create: async ({ inputs }) => {
          const wanted = optionalText(inputs, "ipRange");
          const name = text(inputs, "name");
          const { id, ipRange } = await ensureVpc(sandbox, {
            name,
            ...(wanted !== undefined && { ipRange: wanted }),
          });
          return { id, outputs: { ipRange, vpcUrn: `do:vpc:${id}`, default: false, createdAt: now() } };
        },
        update: () => ({}),
        delete: ({ id }) => deleteVpc(sandbox, id),
        stands: ({ id }) =>
          vpcNetwork(sandbox, id).then(
            () => true,
            () => false,
          ),
      },
      "digitalocean:index/reservedIp:ReservedIp": {
        replaceOn: ["region", "ipAddress"],
        create: async ({ inputs }) => {
          const ipAddress = await createReservedIp(sandbox);
          if (typeof inputs["dropletId"] === "number") {
            await assignReservedIp(sandbox, ipAddress, String(inputs["dropletId"]));
          }
          return { id: ipAddress, outputs: { ipAddress, reservedIpUrn: `do:reservedip:${ipAddress}` } };
        },
        update: async ({ id, inputs }) => {
          const dropletId = inputs["dropletId"];
          await assignReservedIp(sandbox, id, typeof dropletId === "number" ? String(dropletId) : undefined);
          return {};
        },
        delete: ({ id }) => deleteReservedIp(sandbox, id),
      },
      "digitalocean:index/reservedIpAssignment:ReservedIpAssignment": {
        create: async ({ inputs }) => {
          const ipAddress = text(inputs, "ipAddress");
          const dropletId = String(number(inputs, "dropletId"));
          await assignReservedIp(sandbox, ipAddress, dropletId);
          return { id: `${dropletId}-${ipAddress}-${numericId()}` };
        },
        delete: async ({ inputs }) => {
          const ipAddress = text(inputs, "ipAddress");
          const holder = String(number(inputs, "dropletId"));
          // As the real provider does: an address that has moved on to another droplet stays there.
          if (await holds(sandbox, holder, ipAddress)) await assignReservedIp(sandbox, ipAddress, undefined);
        },
      },
      "digitalocean:index/domain:Domain": {
        replaceOn: ["name"],
        create: async ({ inputs }) => {
          const name = text(inputs, "name");
          const address = optionalText(inputs, "ipAddress");
          if (address !== undefined) await setRecord(sandbox, name, address);
          return { id: name, outputs: { ttl: 1800, domainUrn: `do:domain:${name}` } };
        },
        delete: async ({ inputs }) => {
          if (optionalText(inputs, "ipAddress") !== undefined)
            await removeRecord(sandbox, text(inputs, "name"));
        },
      },
      "digitalocean:index/dnsRecord:DnsRecord": {
        replaceOn: ["domain", "type"],
        create: async ({ inputs }) => {
          const fqdn = await publish(sandbox, inputs);
          return { id: numericId(), outputs: { fqdn, ttl: inputs["ttl"] ?? 1800 } };
        },
        update: async ({ inputs, oldInputs }) => {
          if (fqdnOf(inputs) !== fqdnOf(oldInputs)) await withdraw(sandbox, oldInputs);
          return { fqdn: await publish(sandbox, inputs) };
        },
        delete: ({ inputs }) => withdraw(sandbox, inputs),
      },
    },
  };
}

async function holds(sandbox: Sandbox, dropletId: string, address: string): Promise<boolean> {
  if ((await sandbox.find("droplet", dropletId)) === undefined) return false;
  const addresses = await dropletExec(sandbox, dropletId, ["ip", "-4", "-o", "addr"]);
  return addresses.includes(` ${address}/`);
}

function fqdnOf(inputs: Plain): string {
  const zone = text(inputs, "domain");
  const name = text(inputs, "name");
  return name === "@" ? zone : `${name}.${zone}`;
}

async function publish(sandbox: Sandbox, inputs: Plain): Promise<string> {
  const fqdn = fqdnOf(inputs);
  if (inputs["type"] === "A") await setRecord(sandbox, fqdn, text(inputs, "value"));
  return fqdn;
}

async function withdraw(sandbox: Sandbox, inputs: Plain): Promise<void> {
  if (inputs["type"] === "A") await removeRecord(sandbox, fqdnOf(inputs));
}
