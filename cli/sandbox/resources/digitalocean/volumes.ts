import type { Sandbox } from "../../bodies/sandbox";
import { attachVolume, createVolume, deleteVolume, detachVolume } from "../../bodies/volume";
import type { Provider } from "../handler";
import { number, numericId, text } from "../inputs";
import { sayWhatStays } from "./machines";

/** Block storage: a real block device in the droplet that has it. */
export function volumes(sandbox: Sandbox): Provider {
  return {
    resources: {
      "digitalocean:index/volume:Volume": {
        replaceOn: ["name", "region", "description", "initialFilesystemType", "snapshotId"],
        create: async ({ inputs }) => {
          const { id } = await createVolume(sandbox, {
            name: text(inputs, "name"),
            sizeGib: number(inputs, "size"),
          });
          return { id, outputs: { dropletIds: [], filesystemLabel: "", volumeUrn: `do:volume:${id}` } };
        },
        update: (call) => {
          sayWhatStays(call, ["size"]);
          return {};
        },
        delete: ({ id }) => deleteVolume(sandbox, id),
      },
      "digitalocean:index/volumeAttachment:VolumeAttachment": {
        create: async ({ inputs }) => {
          const [volume, droplet] = [text(inputs, "volumeId"), String(number(inputs, "dropletId"))];
          await attachVolume(sandbox, volume, droplet);
          return { id: `${droplet}-${volume}-${numericId()}` };
        },
        delete: ({ inputs }) => detachVolume(sandbox, text(inputs, "volumeId")),
      },
    },
  };
}
