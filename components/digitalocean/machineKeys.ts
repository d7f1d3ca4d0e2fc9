// Keys that are made here, by generation. A list of generations is how each is changed: its first one is in use, the
// others are let in too, so that no update depends on a key that the machine does not know yet.
import type * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import type { Problem } from "../app/problem";
import { parsePublicKey } from "../release/hostKey";

/** Both halves of a key pair, as OpenSSH writes them. */
export interface MachineKey {
  /** Secret. */
  readonly privateKey: pulumi.Output<string>;
  /** `type base64`, without a comment. */
  readonly publicKey: pulumi.Output<string>;
}

/** The types of a host key, as they stand in the names of sshd's files. */
export type HostKeyType = "ed25519" | "ecdsa";

/** sshd shows one key of each type, so the generations take turns: odd ones are ed25519, even ones ECDSA. */
export function hostKeyType(generation: number): HostKeyType {
  return generation % 2 === 1 ? "ed25519" : "ecdsa";
}

/** The name of what belongs to one generation. The first one bears the plain name. */
export function generationName(name: string, generation: number): string {
  return generation === 1 ? name : `${name}-${generation}`;
}

/** Every problem of a list of generations. */
export function validateGenerations(path: string, generations: readonly number[] | undefined): Problem[] {
  if (generations === undefined) return [];
  const whole = generations.every((generation) => Number.isInteger(generation) && generation >= 1);
  if (whole && generations.length > 0 && new Set(generations).size === generations.length) return [];
  return [
    {
      path,
      received: JSON.stringify(generations),
      accepted: "a list of different whole numbers from 1, the one in use first",
      cure: "[1] to begin with; for a new key [1, 2], then [2]",
    },
  ];
}

/** The same for host keys, of which two at a time can be served. */
export function validateHostKeyGenerations(
  path: string,
  generations: readonly number[] | undefined,
): Problem[] {
  const problems = validateGenerations(path, generations);
  if (problems.length > 0 || generations === undefined) return problems;
  const types = new Set(generations.map(hostKeyType));
  if (types.size === generations.length) return [];
  return [
    {
      path,
      received: JSON.stringify(generations),
      accepted: "one number, or an odd and an even one: sshd shows one ed25519 and one ECDSA key",
      cure: "count up by one for a new key, and drop the old one with the next update",
    },
  ];
}

/** Makes the key pair of one generation. */
export function makeKey(
  name: string,
  generation: number,
  type: HostKeyType,
  parent: pulumi.Resource,
): MachineKey {
  const kind = type === "ed25519" ? { algorithm: "ED25519" } : { algorithm: "ECDSA", ecdsaCurve: "P256" };
  const key = new tls.PrivateKey(generationName(name, generation), kind, { parent });
  return {
    privateKey: key.privateKeyOpenssh,
    publicKey: key.publicKeyOpenssh.apply((line) => parsePublicKey(line).line),
  };
}

/** The host keys of a machine. */
export interface HostKeys {
  /** The one that connections are pinned to. */
  readonly pinned: MachineKey & { readonly type: HostKeyType };
  /** The private halves that sshd shows, by type. Secret. */
  readonly served: Readonly<Partial<Record<HostKeyType, pulumi.Output<string>>>>;
}

/** Makes the host keys of the given generations; the first is the pinned one. */
export function makeHostKeys(
  name: string,
  generations: readonly number[],
  parent: pulumi.Resource,
): HostKeys {
  const keys = generations.map((generation) => {
    const type = hostKeyType(generation);
    return { ...makeKey(`${name}-host-key`, generation, type, parent), type };
  });
  const [pinned] = keys;
  if (pinned === undefined) throw new Error("hostKeyGenerations is empty");
  return { pinned, served: Object.fromEntries(keys.map(({ type, privateKey }) => [type, privateKey])) };
}
