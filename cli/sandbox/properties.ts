import { isDeepStrictEqual } from "node:util";
import { runtime } from "@pulumi/pulumi";

/**
 * Property values as they travel between a Pulumi program and whoever carries its resources out: JSON, with
 * wrappers around secrets, resource references and values that a preview does not know yet.
 */
export type PropertyValue = null | boolean | number | string | PropertyValue[] | PropertyMap;
export interface PropertyMap {
  [key: string]: PropertyValue;
}

const { specialSigKey, specialSecretSig, specialResourceSig, unknownValue } = runtime;

/** The plain JSON type that handlers of resources see: nothing in it is wrapped. */
export type Plain = Record<string, unknown>;

export function isMap(value: PropertyValue | undefined): value is PropertyMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isSecret(value: PropertyValue | undefined): value is PropertyMap {
  return isMap(value) && value[specialSigKey] === specialSecretSig;
}

export function secret(value: PropertyValue): PropertyValue {
  return isSecret(value) ? value : { [specialSigKey]: specialSecretSig, value: stripSecrets(value) };
}

/** Applies `change` to each outermost secret, and returns a copy. */
export function mapSecrets(
  value: PropertyValue,
  change: (wrapped: PropertyMap) => PropertyValue,
): PropertyValue {
  if (isSecret(value)) return change(value);
  if (Array.isArray(value)) return value.map((element) => mapSecrets(element, change));
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, mapSecrets(inner, change)]));
}

function hasSecret(value: PropertyValue | undefined): boolean {
  return some(value, isSecret);
}

export function hasUnknown(value: PropertyValue | undefined): boolean {
  return some(value, (inner) => inner === unknownValue);
}

function some(
  value: PropertyValue | undefined,
  test: (inner: PropertyValue | undefined) => boolean,
): boolean {
  if (test(value)) return true;
  if (Array.isArray(value)) return value.some((inner) => some(inner, test));
  return isMap(value) && Object.values(value).some((inner) => some(inner, test));
}

/** The value without its secret wrappers. */
export function stripSecrets(value: PropertyValue): PropertyValue {
  return mapSecrets(value, (wrapped) => stripSecrets(wrapped["value"] ?? null));
}

/** The value as a handler wants it: no secret wrappers, and the id in place of a reference to a resource. */
export function reveal(value: PropertyValue): PropertyValue {
  return resolveReferences(stripSecrets(value));
}

function resolveReferences(value: PropertyValue): PropertyValue {
  if (Array.isArray(value)) return value.map(resolveReferences);
  if (!isMap(value)) return value;
  if (value[specialSigKey] === specialResourceSig) return value["id"] ?? value["urn"] ?? null;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolveReferences(inner)]));
}

/** Whether a provider would see the same: the secret marks do not count. */
export function sameValue(left: PropertyValue | undefined, right: PropertyValue | undefined): boolean {
  return isDeepStrictEqual(
    left === undefined ? undefined : stripSecrets(left),
    right === undefined ? undefined : stripSecrets(right),
  );
}

/**
 * The outputs that a program gets: its inputs, then what the handler says. An output is secret when it is named
 * in `secretKeys`, or when it repeats an input in which something is secret.
 */
export function markOutputs(inputs: PropertyMap, outputs: Plain, secretKeys: readonly string[]): PropertyMap {
  const plain = JSON.parse(JSON.stringify(outputs)) as PropertyMap;
  const marked: PropertyMap = {};
  for (const [key, value] of Object.entries({ ...inputs, ...plain })) {
    const input = inputs[key];
    const repeated = input !== undefined && hasSecret(input);
    if (secretKeys.includes(key)) marked[key] = secret(value);
    else if (repeated) marked[key] = sameValue(input, value) ? input : secret(value);
    else marked[key] = value;
  }
  return marked;
}
