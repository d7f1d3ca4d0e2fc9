import { createHash } from "node:crypto";
import type { Problem } from "../app/problem";

/** A public key in the form that OpenSSH writes, without its comment, and its fingerprint as `ssh` shows it. */
export interface PublicKey {
  readonly line: string;
  readonly fingerprint: string;
}

const accepted = "one line such as `ssh-ed25519 AAAA…`";
// Only the pinned key's type is offered to the server; current servers refuse the signature of `ssh-rsa`.
const pinnable = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"];
const userKeyTypes = [
  ...pinnable,
  "ssh-rsa",
  "sk-ssh-ed25519@openssh.com",
  "sk-ecdsa-sha2-nistp256@openssh.com",
];

function parse(text: string): PublicKey | undefined {
  const [type = "", blob = ""] = text.trim().split(/[ \t]+/);
  const bytes = Buffer.from(blob, "base64");
  // A blob is a row of texts with their lengths in front; the first repeats the type. A key that was cut off does not end
  // where its last text does.
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 4 + (parts.at(-1)?.length ?? 0)) {
    const length = at + 4 > bytes.length ? Infinity : bytes.readUInt32BE(at);
    if (at + 4 + length > bytes.length) return undefined;
    parts.push(bytes.subarray(at + 4, at + 4 + length));
  }
  if (parts[0]?.toString() !== type || parts.length < 2 || text.trim().includes("\n")) return undefined;
  const digest = createHash("sha256").update(bytes).digest("base64").replace(/=+$/, "");
  return { line: `${type} ${blob}`, fingerprint: `SHA256:${digest}` };
}

// A private key that was pasted in the wrong place must not end up in a log.
function shown(text: string): string {
  return text.includes("PRIVATE KEY") ? "a private key" : JSON.stringify(text.slice(0, 40));
}

/** Why a text cannot be pinned as the key of a host, or nothing. */
export function validateHostKey(path: string, text: string): Problem[] {
  const type = text.trim().split(/\s+/)[0] ?? "";
  if (parse(text) !== undefined && pinnable.includes(type)) return [];
  return [
    {
      path,
      received: shown(text),
      accepted: `${accepted} of type ${pinnable.join(", ")}`,
      cure: "take it from the server itself: cat /etc/ssh/ssh_host_ed25519_key.pub",
    },
  ];
}

/** Why a text cannot stand in `authorized_keys`, or nothing. */
export function validateAuthorizedKey(path: string, text: string): Problem[] {
  const type = text.trim().split(/\s+/)[0] ?? "";
  if (parse(text) !== undefined && userKeyTypes.includes(type)) return [];
  return [
    {
      path,
      received: shown(text),
      accepted,
      cure: "give the public half, the content of a file such as ~/.ssh/id_ed25519.pub",
    },
  ];
}

/** The checked key; throws what `validateHostKey` and `validateAuthorizedKey` did not get to see. */
export function parsePublicKey(text: string): PublicKey {
  const key = parse(text);
  if (key === undefined)
    throw new Error(`not a public key: received ${shown(text)}, accepted is ${accepted}`);
  return key;
}
