import { Document, type Node, Pair, Scalar, YAMLMap, YAMLSeq } from "yaml";

/** A value with one of the tags by which an override takes something away from the file below it. */
export class Tagged {
  constructor(
    readonly tag: "!override" | "!reset",
    readonly value: unknown,
  ) {}
}

/** Takes the key away. */
export const reset = (): Tagged => new Tagged("!reset", null);

/** Replaces the key's value instead of merging into it. */
export const override = (value: unknown): Tagged => new Tagged("!override", value);

function toNode(value: unknown): Node {
  if (value instanceof Tagged) {
    const node = toNode(value.value);
    node.tag = value.tag;
    return node;
  }
  if (Array.isArray(value)) {
    const node = new YAMLSeq();
    node.items = value.map(toNode);
    return node;
  }
  if (typeof value === "object" && value !== null) {
    const node = new YAMLMap();
    node.items = Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([key, item]) => new Pair(new Scalar(key), toNode(item)));
    return node;
  }
  return new Scalar(value);
}

/** The YAML text of a tree of plain values and Tagged ones. */
export function composeYaml(tree: Readonly<Record<string, unknown>>): string {
  const document = new Document(toNode(tree));
  return document.toString({ lineWidth: 0 });
}
