import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";

const longest = 63;

/**
 * The name of a resource in the account: project, stack and role, so that two stacks can share an account.
 * Lower case letters, digits and dashes, beginning with a letter, as the strictest of DigitalOcean's kinds wants it.
 */
export function accountName(...parts: readonly string[]): string {
  const whole = [pulumi.getProject(), pulumi.getStack(), ...parts].join("-");
  const name = whole
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+|-+$/g, "");
  if (name.length <= longest) return name;
  // Cut names stay apart by a hash of what was cut.
  return `${name.slice(0, longest - 9)}-${createHash("sha256").update(whole).digest("hex").slice(0, 8)}`;
}

/** The tags that every resource carries. DigitalOcean makes them on first use and shares them between stacks. */
export function commonTags(): readonly string[] {
  const slug = (text: string): string => text.replace(/[^A-Za-z0-9_-]/g, "-");
  return [`project:${slug(pulumi.getProject())}`, `stack:${slug(pulumi.getStack())}`];
}
