import { changedAt, keepIgnored, parsePath, valueAt } from "../../../cli/sandbox/paths";
import { secret } from "../../../cli/sandbox/properties";

test.each([
  ["userData", ["userData"]],
  ["a.b[0].c", ["a", "b", 0, "c"]],
  ['tags["a.b"].c', ["tags", "a.b", "c"]],
  ["triggers[*]", ["triggers"]],
  ["a.*.b", ["a"]],
  ["*", []],
])("%s is %j", (path, keys) => {
  expect(parsePath(path)).toEqual(keys);
});

test("a path leads to a value, or to nothing", () => {
  expect(valueAt({ a: { b: [{ c: 1 }] } }, "a.b[0].c")).toBe(1);
  expect(valueAt({ a: { b: [{ c: 1 }] } }, "a.b[1].c")).toBeUndefined();
  expect(valueAt({ a: 1 }, "a.b")).toBeUndefined();
});

test("a change is seen through secret marks, and a mark alone is no change", () => {
  expect(changedAt({ a: { b: secret("x") } }, { a: { b: "x" } }, "a.b")).toBe(false);
  expect(changedAt({ a: { b: secret("x") } }, { a: { b: secret("y") } }, "a.b")).toBe(true);
  expect(changedAt({ list: [1, 2] }, { list: [1] }, "list[*]")).toBe(true);
});

test("an ignored path keeps its old value, its absence too", () => {
  const old = { a: 1, nested: { x: 1, y: 1 } };
  expect(keepIgnored(old, { a: 2, b: 2, nested: { x: 2, y: 2 } }, ["a", "b", "nested.x"])).toEqual({
    a: 1,
    nested: { x: 1, y: 2 },
  });
  expect(keepIgnored(old, { a: 2 }, ["*"])).toEqual(old);
});
