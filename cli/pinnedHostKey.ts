import { createHash } from "node:crypto";
import type { ConnectConfig, ServerHostKeyAlgorithm } from "ssh2";

/** The settings under which ssh2 accepts one host key and no other, and what the server showed instead. */
export interface PinnedHostKey {
  readonly config: Pick<ConnectConfig, "algorithms" | "hostVerifier">;
  /** `<presented>, pinned is <pinned>` as fingerprints; undefined unless another key was presented. */
  readonly mismatch: () => string | undefined;
}

/** `hostKey` is `type base64`. */
export function pinHostKey(hostKey: string): PinnedHostKey {
  const [type = "", base64 = ""] = hostKey.trim().split(/\s+/);
  const pinned = Buffer.from(base64, "base64");
  let presented: Buffer | undefined;
  return {
    config: {
      // Only the pinned key's type is offered, so that a server with several keys presents this one.
      algorithms: { serverHostKey: [type as ServerHostKeyAlgorithm] },
      hostVerifier: (key: Buffer) => {
        presented = key;
        return key.equals(pinned);
      },
    },
    mismatch: () =>
      presented === undefined || presented.equals(pinned)
        ? undefined
        : `${fingerprint(presented)}, pinned is ${fingerprint(pinned)}`,
  };
}

function fingerprint(blob: Buffer): string {
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}
