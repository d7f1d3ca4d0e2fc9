import { isMap, sameValue, type PropertyMap, type PropertyValue } from "./properties";

/**
 * Splits a property path of `ignoreChanges` and `replaceOnChanges` such as `a.b[0]` or `triggers[*]`. Everything
 * from the first `*` on is left out: what stands before it is then compared as a whole.
 */
export function parsePath(path: string): (string | number)[] {
  const keys: (string | number)[] = [];
  const pattern = /\["([^"]*)"\]|\[(\d+|\*)\]|([^.[\]]+)/gy;
  for (let rest = pattern.exec(path); rest; rest = pattern.exec(path)) {
    const key = rest[1] ?? rest[2] ?? rest[3] ?? "";
    if (key === "*") break;
    keys.push(rest[2] === undefined ? key : Number(key));
    if (path[pattern.lastIndex] === ".") pattern.lastIndex += 1;
  }
  return keys;
}

export function valueAt(root: PropertyValue | undefined, path: string): PropertyValue | undefined {
  return parsePath(path).reduce<PropertyValue | undefined>((value, key) => {
    if (Array.isArray(value)) return typeof key === "number" ? value[key] : undefined;
    return isMap(value) ? value[String(key)] : undefined;
  }, root);
}

/** Whether what stands at the path differs between two sets of inputs. */
export function changedAt(left: PropertyMap, right: PropertyMap, path: string): boolean {
  return !sameValue(valueAt(left, path), valueAt(right, path));
}

/** The names of the top-level properties that differ. */
export function changedKeys(left: PropertyMap, right: PropertyMap): string[] {
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...keys].filter((key) => !sameValue(left[key], right[key]));
}

/** The new inputs, with the old value kept wherever a path is to be ignored. */
export function keepIgnored(old: PropertyMap, next: PropertyMap, paths: readonly string[]): PropertyMap {
  return paths.reduce<PropertyMap>((inputs, path) => {
    const keys = parsePath(path);
    if (keys.length === 0) return { ...old };
    return withValue(inputs, keys, valueAt(old, path)) as PropertyMap;
  }, next);
}

function withValue(
  root: PropertyValue | undefined,
  keys: readonly (string | number)[],
  value: PropertyValue | undefined,
): PropertyValue | undefined {
  const [key, ...rest] = keys;
  if (key === undefined) return value;
  if (Array.isArray(root) && typeof key === "number") {
    const copy = [...root];
    const inner = withValue(copy[key], rest, value);
    if (inner === undefined) copy.splice(key, 1);
    else copy[key] = inner;
    return copy;
  }
  if (root !== undefined && !isMap(root)) return root;
  const copy: PropertyMap = { ...root };
  const inner = withValue(copy[String(key)], rest, value);
  if (inner === undefined) delete copy[String(key)];
  else copy[String(key)] = inner;
  return copy;
}
