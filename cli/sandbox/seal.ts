import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const keyBytes = 32;
const ivBytes = 12;
const tagBytes = 16;

/** Seals the secret values of a state file with AES-256-GCM; the key is a 0600 file beside it. */
export class Seal {
  private constructor(private readonly key: Buffer) {}

  /** Reads the key of a directory, or makes one. Throws when sealed values are there and their key is not. */
  static of(directory: string, sealedFile: string): Seal {
    const path = join(directory, "key");
    if (!existsSync(path)) {
      if (existsSync(join(directory, sealedFile))) {
        throw new Error(
          `${join(directory, sealedFile)}: its key ${path} is missing, so its secrets cannot be read. ` +
            `Put the key back, or remove the sandbox of this stack with "slipway rehearse --down".`,
        );
      }
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      writeFileSync(path, randomBytes(keyBytes).toString("base64"), { mode: 0o600, flag: "wx" });
    }
    const key = Buffer.from(readFileSync(path, "utf8"), "base64");
    if (key.length !== keyBytes) throw new Error(`${path}: expected ${keyBytes} bytes in base64`);
    return new Seal(key);
  }

  seal(text: string): string {
    const iv = randomBytes(ivBytes);
    const cipher = createCipheriv("aes-256-gcm", this.key, iv);
    const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString("base64");
  }

  /** Throws when the text was not sealed with this key, or was changed since. */
  open(sealed: string): string {
    const bytes = Buffer.from(sealed, "base64");
    const decipher = createDecipheriv("aes-256-gcm", this.key, bytes.subarray(0, ivBytes));
    decipher.setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
    return Buffer.concat([decipher.update(bytes.subarray(ivBytes + tagBytes)), decipher.final()]).toString(
      "utf8",
    );
  }
}
