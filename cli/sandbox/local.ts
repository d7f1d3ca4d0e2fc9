import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { docker } from "./bodies/docker";
import { Sandbox } from "./bodies/sandbox";

export interface LocalStack {
  readonly stack: string;
  readonly sandboxDirectory: string;
}

/** Containers carry the stack's name, and a mark of the directory: two checkouts do not touch each other's. */
function sandboxName({ stack, sandboxDirectory }: LocalStack): string {
  const readable = stack
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
  const mark = createHash("sha256").update(resolve(sandboxDirectory)).digest("hex").slice(0, 4);
  return `${readable.slice(0, 24) || "stack"}-${mark}`.replace(/--+/g, "-");
}

/** The sandbox in which a stack's resources live. Nothing is started before something is asked of it. */
export function openSandbox(stack: LocalStack, log: (line: string) => void): Sandbox {
  return new Sandbox({ name: sandboxName(stack), dir: stack.sandboxDirectory, log });
}

/** Whether a container of the sandbox is there. One that has stopped, as after a reboot of this machine, is started. */
export async function wakeUp(sandbox: Sandbox, role: string, id: string): Promise<boolean> {
  await sandbox.up();
  const member = await sandbox.find(role, id);
  if (member && !member.running) await docker(["start", member.container]);
  return member !== undefined;
}
