import { createHash, createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import type { Plain } from "../properties";
import type { Provider } from "./handler";
import { opensshKey } from "./opensshKey";

const generate = promisify(generateKeyPair);
const curves: Readonly<Record<string, string>> = { P256: "P-256", P384: "P-384", P521: "P-521" };

/** Real key pairs, in the formats of the real provider (each ends with a newline, also the public ones). */
export const tls: Provider = {
  resources: {
    "tls:index/privateKey:PrivateKey": {
      replaceOn: ["*"],
      secretOutputs: ["privateKeyOpenssh", "privateKeyPem", "privateKeyPemPkcs8"],
      create: async ({ inputs }) => {
        const { key, pem } = await generateKey(inputs);
        const openssh = opensshKey(key);
        const publicKeyPem = createPublicKey(key).export({ type: "spki", format: "pem" }).toString();
        return {
          id: createHash("sha1").update(publicKeyPem).digest("hex"),
          outputs: {
            privateKeyPem: pem,
            privateKeyPemPkcs8: key.export({ type: "pkcs8", format: "pem" }).toString(),
            privateKeyOpenssh: openssh.privateKey,
            publicKeyPem,
            publicKeyOpenssh: `${openssh.publicKey}\n`,
            publicKeyFingerprintSha256: openssh.fingerprintSha256,
            publicKeyFingerprintMd5: openssh.fingerprintMd5,
          },
        };
      },
    },
  },
};

async function generateKey(inputs: Plain): Promise<{ key: KeyObject; pem: string }> {
  const algorithm = inputs["algorithm"];
  if (algorithm === "ED25519") {
    const { privateKey } = await generate("ed25519");
    return { key: privateKey, pem: privateKey.export({ type: "pkcs8", format: "pem" }).toString() };
  }
  if (algorithm === "RSA") {
    const { privateKey } = await generate("rsa", { modulusLength: Number(inputs["rsaBits"] ?? 2048) });
    return { key: privateKey, pem: privateKey.export({ type: "pkcs1", format: "pem" }).toString() };
  }
  if (algorithm === "ECDSA") {
    const namedCurve = curves[String(inputs["ecdsaCurve"])];
    if (namedCurve === undefined) {
      throw new Error(
        `ecdsaCurve: received ${JSON.stringify(inputs["ecdsaCurve"])}, expected P256, P384 or P521`,
      );
    }
    const { privateKey } = await generate("ec", { namedCurve });
    return { key: privateKey, pem: privateKey.export({ type: "sec1", format: "pem" }).toString() };
  }
  throw new Error(`algorithm: received ${JSON.stringify(algorithm)}, expected ED25519, RSA or ECDSA`);
}
