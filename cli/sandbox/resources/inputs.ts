import { randomInt } from "node:crypto";
import type { Plain } from "../properties";

/** Reads the inputs of a resource, which were checked by nobody but TypeScript. Throws with the property's name. */
export function text(inputs: Plain, key: string): string {
  const value = inputs[key];
  if (typeof value === "string" && value !== "") return value;
  throw new Error(`${key}: received ${describe(value)}, expected a text`);
}

export function optionalText(inputs: Plain, key: string): string | undefined {
  const value = inputs[key];
  return value === undefined || value === null ? undefined : text(inputs, key);
}

export function number(inputs: Plain, key: string): number {
  const value = inputs[key];
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new Error(`${key}: received ${describe(value)}, expected a number`);
}

export function texts(inputs: Plain, key: string): string[] {
  const value = inputs[key] ?? [];
  if (Array.isArray(value) && value.every((element) => typeof element === "string")) return value;
  throw new Error(`${key}: received ${describe(value)}, expected a list of texts`);
}

// The value itself may be secret.
function describe(value: unknown): string {
  return value === undefined || value === null ? "nothing" : `a value of type ${typeof value}`;
}

/** An id of the form that DigitalOcean gives to droplets, keys and records. */
export function numericId(): string {
  return String(randomInt(10_000_000, 1_000_000_000));
}

export function now(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, "Z");
}
