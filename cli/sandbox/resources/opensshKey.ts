import { createHash, randomBytes, type JsonWebKey, type KeyObject } from "node:crypto";

// ssh2 can make keys too, but about one in 300 of its ed25519 keys cannot be read back.

/** A key pair in OpenSSH's own formats. */
export interface OpensshKey {
  readonly privateKey: string;
  /** `type base64`, without comment and without a newline. */
  readonly publicKey: string;
  readonly fingerprintSha256: string;
  readonly fingerprintMd5: string;
}

/** Encodes an unencrypted ed25519, RSA or NIST curve key as `ssh-keygen` does (PROTOCOL.key of OpenSSH). */
export function opensshKey(key: KeyObject): OpensshKey {
  const { type, publicFields, privateFields } = fieldsOf(key.export({ format: "jwk" }));
  const blob = Buffer.concat([field(type), ...publicFields.map(field)]);
  const check = randomBytes(4);
  const secret = Buffer.concat([check, check, field(type), ...privateFields.map(field), field("")]);
  const padding = Buffer.from(Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, index) => index + 1));
  const body = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    field("none"),
    field("none"),
    field(""),
    Buffer.from([0, 0, 0, 1]),
    field(blob),
    field(Buffer.concat([secret, padding])),
  ]);
  const lines = body.toString("base64").match(/.{1,70}/g) ?? [];
  const label = "OPENSSH PRIVATE KEY";
  return {
    privateKey: [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n"),
    publicKey: `${type} ${blob.toString("base64")}`,
    fingerprintSha256: `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`,
    fingerprintMd5: createHash("md5")
      .update(blob)
      .digest("hex")
      .replace(/(..)(?!$)/g, "$1:"),
  };
}

interface KeyFields {
  readonly type: string;
  readonly publicFields: readonly (Buffer | string)[];
  readonly privateFields: readonly (Buffer | string)[];
}

function fieldsOf(jwk: JsonWebKey): KeyFields {
  const bytes = (name: keyof JsonWebKey): Buffer => Buffer.from(String(jwk[name]), "base64url");
  if (jwk.kty === "OKP") {
    const [seed, point] = [bytes("d"), bytes("x")];
    return {
      type: "ssh-ed25519",
      publicFields: [point],
      privateFields: [point, Buffer.concat([seed, point])],
    };
  }
  if (jwk.kty === "RSA") {
    const [n, e, d, inverse, p, q] = (["n", "e", "d", "qi", "p", "q"] as const).map((name) =>
      positive(bytes(name)),
    );
    const all = [n, e, d, inverse, p, q] as Buffer[];
    return { type: "ssh-rsa", publicFields: [all[1], all[0]] as Buffer[], privateFields: all };
  }
  const curve = `nistp${String(jwk.crv).replace(/\D/g, "")}`;
  const point = Buffer.concat([Buffer.from([4]), bytes("x"), bytes("y")]);
  return {
    type: `ecdsa-sha2-${curve}`,
    publicFields: [curve, point],
    privateFields: [curve, point, positive(bytes("d"))],
  };
}

/** An integer whose first bit is set gets a zero before it, so that it is not read as a negative one. */
function positive(integer: Buffer): Buffer {
  let start = 0;
  while (start < integer.length - 1 && integer[start] === 0) start += 1;
  const trimmed = integer.subarray(start);
  return (trimmed[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.from([0]), trimmed]) : trimmed;
}

function field(value: Buffer | string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
