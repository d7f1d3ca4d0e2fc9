import { stringify } from "yaml";
import type { HostKeyType } from "./machineKeys";

/** What a new droplet is told before its first boot. */
export interface UserDataArgs {
  readonly user: string;
  readonly authorizedKeys: readonly string[];
  /** PEM of the host key that the machine shall show. Secret. */
  readonly hostPrivateKey: string;
  /** @default "ed25519" */
  readonly hostKeyType?: HostKeyType;
  readonly hostPublicKey: string;
}

// Before 50-cloud-init.conf, and sshd keeps the first value it reads.
const sshdDropIn = `PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin no
`;

/**
 * The cloud-config of a droplet: the user, its keys, the host key and an sshd drop-in, and nothing else. Same
 * arguments, same text: it holds what has to be true at the first connection, `prepare.sh` does the rest.
 * https://cloudinit.readthedocs.io/en/latest/reference/modules.html#ssh
 */
export function renderUserData(args: UserDataArgs): string {
  const type = args.hostKeyType ?? "ed25519";
  const config = {
    users: [
      {
        name: args.user,
        shell: "/bin/bash",
        groups: ["adm"],
        sudo: "ALL=(ALL) NOPASSWD:ALL",
        lock_passwd: true,
        ssh_authorized_keys: [...args.authorizedKeys],
      },
    ],
    ssh_deletekeys: true,
    ssh_keys: { [`${type}_private`]: args.hostPrivateKey, [`${type}_public`]: args.hostPublicKey },
    write_files: [
      {
        path: "/etc/ssh/sshd_config.d/00-slipway.conf",
        permissions: "0644",
        owner: "root:root",
        content: sshdDropIn,
      },
    ],
  };
  return `#cloud-config\n${stringify(config, { lineWidth: 0 })}`;
}
