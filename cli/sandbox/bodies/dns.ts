import { isIPv4 } from "node:net";
import { dockerExec } from "./docker";
import type { Sandbox } from "./sandbox";

/** Points a name at an address, for droplets, their containers and the ACME authority. */
export async function setRecord(sandbox: Sandbox, name: string, address: string): Promise<void> {
  if (!isIPv4(address))
    throw new Error(
      `setRecord: the address of ${name} is ${JSON.stringify(address)}; accepted: an IPv4 address`,
    );
  await sandbox.up();
  await dockerExec(sandbox.containerName("names"), ["names.sh", "set", checkedName(name), address]);
}

export async function removeRecord(sandbox: Sandbox, name: string): Promise<void> {
  const there = await sandbox.find("names");
  if (there?.running === true) await dockerExec(there.container, ["names.sh", "remove", checkedName(name)]);
}

function checkedName(name: string): string {
  const plain = name.replace(/\.$/, "").toLowerCase();
  if (!/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(plain)) {
    throw new Error(
      `DNS record: the name is ${JSON.stringify(name)}; accepted: letters, digits, dashes and dots`,
    );
  }
  return plain;
}
