import { generateKeyPairSync } from "node:crypto";
import { opensshKey } from "../../cli/sandbox/resources/opensshKey";

/** A fresh ed25519 pair in OpenSSH's form. ssh2's own generator now and then makes one that it cannot read. */
export function keyPair(): { readonly private: string; readonly public: string } {
  const { privateKey, publicKey } = opensshKey(generateKeyPairSync("ed25519").privateKey);
  return { private: privateKey, public: publicKey };
}
