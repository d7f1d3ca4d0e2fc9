import { randomBytes, randomInt, randomUUID } from "node:crypto";
import type { Plain } from "../properties";
import type { Provider, ResourceHandler } from "./handler";

const characters = {
  lower: "abcdefghijklmnopqrstuvwxyz",
  upper: "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
  numeric: "0123456789",
  special: "!@#$%&*()-_=+[]{}<>:?",
} as const;

/** Real random values. `bcryptHash` stays undefined: nothing here could check it. */
export const random: Provider = {
  resources: {
    "random:index/randomPassword:RandomPassword": text(["result"], () => "none"),
    "random:index/randomString:RandomString": text([], (result) => result),
    "random:index/randomId:RandomId": {
      replaceOn: ["*"],
      create: ({ inputs }) => {
        const bytes = randomBytes(lengthOf(inputs, "byteLength"));
        const prefix = typeof inputs["prefix"] === "string" ? inputs["prefix"] : "";
        const b64Url = bytes.toString("base64url");
        return {
          id: b64Url,
          outputs: {
            b64Url: prefix + b64Url,
            b64Std: prefix + bytes.toString("base64"),
            hex: prefix + bytes.toString("hex"),
            dec: prefix + BigInt(`0x${bytes.toString("hex") || "0"}`).toString(),
          },
        };
      },
    },
    "random:index/randomBytes:RandomBytes": {
      replaceOn: ["*"],
      secretOutputs: ["base64", "hex"],
      create: ({ inputs }) => {
        const bytes = randomBytes(lengthOf(inputs, "length"));
        return { id: "none", outputs: { base64: bytes.toString("base64"), hex: bytes.toString("hex") } };
      },
    },
    "random:index/randomUuid:RandomUuid": {
      replaceOn: ["*"],
      create: () => {
        const result = randomUUID();
        return { id: result, outputs: { result } };
      },
    },
    "random:index/randomInteger:RandomInteger": {
      replaceOn: ["*"],
      create: ({ inputs }) => {
        const result = randomInt(lengthOf(inputs, "min"), lengthOf(inputs, "max") + 1);
        return { id: String(result), outputs: { result } };
      },
    },
  },
};

function text(secretOutputs: readonly string[], idOf: (result: string) => string): ResourceHandler {
  return {
    replaceOn: ["*"],
    secretOutputs,
    create: ({ inputs }) => {
      const result = randomText(inputs);
      return { id: idOf(result), outputs: { result } };
    },
  };
}

/** The minimum of each class first, then anything that is allowed, shuffled. */
export function randomText(inputs: Plain): string {
  const length = lengthOf(inputs, "length");
  const override = inputs["overrideSpecial"];
  const sets = {
    ...characters,
    ...(typeof override === "string" && override !== "" && { special: override }),
  };
  const picked: string[] = [];
  let allowed = "";
  for (const kind of ["lower", "upper", "numeric", "special"] as const) {
    if (inputs[kind] === false) continue;
    allowed += sets[kind];
    const minimum = inputs[`min${kind[0]?.toUpperCase()}${kind.slice(1)}`];
    for (let count = 0; count < Number(minimum ?? 0); count += 1) picked.push(pick(sets[kind]));
  }
  if (allowed === "")
    throw new Error("every class of characters is switched off: nothing is left to pick from");
  if (picked.length > length)
    throw new Error(`length is ${length}, and the minimums add up to ${picked.length}`);
  while (picked.length < length) picked.push(pick(allowed));
  for (let last = picked.length - 1; last > 0; last -= 1) {
    const other = randomInt(last + 1);
    [picked[last], picked[other]] = [picked[other] ?? "", picked[last] ?? ""];
  }
  return picked.join("");
}

function pick(from: string): string {
  return from[randomInt(from.length)] ?? "";
}

function lengthOf(inputs: Plain, key: string): number {
  const value = inputs[key];
  if (typeof value === "number" && Number.isInteger(value)) return value;
  throw new Error(`${key}: received ${JSON.stringify(value)}, expected a whole number`);
}
