import { createPublicKey, createSign, createVerify, generateKeyPairSync, type KeyObject } from "node:crypto";
import { utils } from "ssh2";
import type { ResourceCall } from "../../../cli/sandbox/resources/handler";
import { opensshKey } from "../../../cli/sandbox/resources/opensshKey";
import { random, randomText } from "../../../cli/sandbox/resources/random";
import { tls } from "../../../cli/sandbox/resources/tls";

function call(inputs: Record<string, unknown>): ResourceCall {
  const identity = { type: "t", name: "n", urn: "u" };
  return { ...identity, inputs, signal: new AbortController().signal, log: () => undefined };
}

function readBack(privateKey: string): { pem: string; publicKey: string } {
  const parsed = utils.parseKey(privateKey);
  if (parsed instanceof Error) throw parsed;
  const publicKey = `${parsed.type} ${parsed.getPublicSSH().toString("base64")}`;
  return { pem: parsed.getPrivatePEM(), publicKey };
}

describe("an OpenSSH key", () => {
  test.each([
    ["ed25519", () => generateKeyPairSync("ed25519").privateKey, 300],
    ["RSA", () => generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey, 5],
    ["ECDSA", () => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey, 300],
  ] as [string, () => KeyObject, number][])(
    "of type %s can be read back, every time",
    (_type, make, count) => {
      for (let round = 0; round < count; round += 1) {
        const key = make();
        const { pem, publicKey } = readBack(opensshKey(key).privateKey);
        expect(createPublicKey(pem).export({ format: "der", type: "spki" })).toEqual(
          createPublicKey(key).export({ format: "der", type: "spki" }),
        );
        expect(publicKey).toBe(opensshKey(key).publicKey);
      }
    },
  );
});

describe("tls.PrivateKey", () => {
  const handler = tls.resources["tls:index/privateKey:PrivateKey"];

  test("has the outputs of the provider, and its private ones are secret", async () => {
    const { outputs } = (await handler?.create(call({ algorithm: "ED25519" }))) ?? {};
    expect(outputs?.["publicKeyOpenssh"]).toMatch(/^ssh-ed25519 [A-Za-z0-9+/=]+\n$/);
    expect(outputs?.["publicKeyFingerprintSha256"]).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/);
    expect(outputs?.["publicKeyFingerprintMd5"]).toMatch(/^([0-9a-f]{2}:){15}[0-9a-f]{2}$/);
    expect(readBack(String(outputs?.["privateKeyOpenssh"])).publicKey).toBe(
      String(outputs?.["publicKeyOpenssh"]).trim(),
    );
    expect(handler?.secretOutputs).toEqual(["privateKeyOpenssh", "privateKeyPem", "privateKeyPemPkcs8"]);
  });

  test("signs what its public key verifies", async () => {
    const { outputs } = (await handler?.create(call({ algorithm: "RSA", rsaBits: 2048 }))) ?? {};
    const signature = createSign("sha256").update("x").sign(String(outputs?.["privateKeyPem"]));
    expect(createVerify("sha256").update("x").verify(String(outputs?.["publicKeyPem"]), signature)).toBe(
      true,
    );
  });

  test("refuses an algorithm that it does not know", async () => {
    const create = async (): Promise<unknown> => handler?.create(call({ algorithm: "DSA" }));
    await expect(create()).rejects.toThrow('received "DSA", expected ED25519, RSA or ECDSA');
  });
});

describe("random text", () => {
  test("keeps to the length, the classes and the minimums", () => {
    expect(randomText({ length: 24, special: false })).toMatch(/^[a-zA-Z0-9]{24}$/);
    expect(randomText({ length: 8, lower: false, upper: false, numeric: false, overrideSpecial: "_" })).toBe(
      "________",
    );
    expect(randomText({ length: 6, minNumeric: 4, minSpecial: 2 })).toMatch(
      /^(?=(.*\d){4})(?=(.*[^a-zA-Z0-9]){2})/,
    );
  });

  test.each([
    [{ length: 3, minLower: 4 }, "length is 3, and the minimums add up to 4"],
    [
      { length: 3, lower: false, upper: false, numeric: false, special: false },
      "nothing is left to pick from",
    ],
    [{ length: "x" }, 'length: received "x"'],
  ])("refuses what cannot be: %#", (inputs, message) => {
    expect(() => randomText(inputs)).toThrow(message);
  });

  test("a RandomPassword's result is secret", () => {
    expect(random.resources["random:index/randomPassword:RandomPassword"]?.secretOutputs).toContain("result");
  });
});
