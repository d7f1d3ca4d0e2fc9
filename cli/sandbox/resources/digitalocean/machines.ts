import { createHash, randomUUID } from "node:crypto";
import { createDroplet, deleteDroplet } from "../../bodies/droplet";
import type { Sandbox } from "../../bodies/sandbox";
import { wakeUp } from "../../local";
import type { Plain } from "../../properties";
import { recorded, type ExistingCall, type Provider } from "../handler";
import { now, numericId, optionalText, text, texts } from "../inputs";

/** Droplets are containers. Keys, tags, firewalls and projects are written down. */
export function machines(sandbox: Sandbox): Provider {
  return {
    resources: {
      "digitalocean:index/droplet:Droplet": {
        replaceOn: [
          "image",
          "region",
          "sshKeys",
          "userData",
          "vpcUuid",
          "monitoring",
          "dropletAgent",
          "publicNetworking",
        ],
        create: async ({ inputs }) => {
          const name = text(inputs, "name");
          const vpcUuid = optionalText(inputs, "vpcUuid");
          const { id, ipv4Address, ipv4AddressPrivate, status } = await createDroplet(sandbox, {
            name,
            userData: optionalText(inputs, "userData") ?? "#cloud-config\n",
            size: text(inputs, "size"),
            region: optionalText(inputs, "region") ?? "nyc3",
            image: text(inputs, "image"),
            ...(vpcUuid !== undefined && { vpcId: vpcUuid }),
            tags: texts(inputs, "tags"),
          });
          const outputs = { ipv4Address, ipv4AddressPrivate, status, ...dropletDefaults(inputs) };
          return { id, outputs: { ...outputs, dropletUrn: `do:droplet:${id}`, createdAt: now() } };
        },
        update: (call) => {
          sayWhatStays(call, ["size", "backups", "backupPolicy", "tags", "volumeIds"]);
          return sizeOf(text(call.inputs, "size"));
        },
        delete: ({ id }) => deleteDroplet(sandbox, id),
        stands: ({ id }) => wakeUp(sandbox, "droplet", id),
      },
      "digitalocean:index/sshKey:SshKey": {
        replaceOn: ["publicKey"],
        create: ({ inputs }) => ({
          id: numericId(),
          outputs: { fingerprint: fingerprint(text(inputs, "publicKey")) },
        }),
        update: () => ({}),
      },
      "digitalocean:index/tag:Tag": {
        replaceOn: ["name"],
        create: ({ inputs }) => ({ id: text(inputs, "name"), outputs: noMembers }),
      },
      "digitalocean:index/firewall:Firewall": {
        create: () => ({
          id: randomUUID(),
          outputs: { status: "succeeded", createdAt: now(), pendingChanges: [] },
        }),
        update: () => ({}),
      },
      "digitalocean:index/project:Project": {
        create: () => ({
          id: randomUUID(),
          outputs: { createdAt: now(), ownerId: 1, ownerUuid: randomUUID() },
        }),
        update: () => ({ updatedAt: now() }),
      },
      "digitalocean:index/projectResources:ProjectResources": recorded({ replaceOn: ["project"] }),
    },
  };
}

const noMembers = {
  databasesCount: 0,
  dropletsCount: 0,
  imagesCount: 0,
  totalResourceCount: 0,
  volumesCount: 0,
};

function dropletDefaults(inputs: Plain): Plain {
  const size = text(inputs, "size");
  return {
    backups: inputs["backups"] ?? false,
    monitoring: inputs["monitoring"] ?? false,
    ipv6: inputs["ipv6"] ?? false,
    resizeDisk: inputs["resizeDisk"] ?? true,
    locked: false,
    ...sizeOf(size),
  };
}

/** What a slug such as `s-1vcpu-2gb` says about itself. */
function sizeOf(slug: string): Plain {
  const [, vcpus, gib] = /(\d+)vcpu-(\d+)gb/.exec(slug) ?? [];
  return vcpus === undefined ? {} : { vcpus: Number(vcpus), memory: Number(gib) * 1024 };
}

function fingerprint(publicKey: string): string {
  const blob = Buffer.from(publicKey.trim().split(/\s+/)[1] ?? "", "base64");
  return createHash("md5")
    .update(blob)
    .digest("hex")
    .replace(/(..)(?!$)/g, "$1:");
}

/** A change that the real provider makes in place, and that a container cannot follow. */
export function sayWhatStays({ inputs, oldInputs, name, log }: ExistingCall, keys: readonly string[]): void {
  const changed = keys.filter((key) => JSON.stringify(inputs[key]) !== JSON.stringify(oldInputs[key]));
  if (changed.length > 0)
    log(`${name}: ${changed.join(", ")} changed in name only, the container stays as it is`);
}
