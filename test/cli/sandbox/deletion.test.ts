import { FakeStack, urnOf, type Declaration } from "./harness";

// What is taken away, in which order, and what never is.

let stack: FakeStack;
beforeEach(() => {
  stack = new FakeStack();
});
afterEach(() => {
  stack.remove();
});

describe("deletion", () => {
  test("happens in reverse order of dependency, when the rest is done", async () => {
    await stack.up([
      { name: "vpc" },
      { name: "db", dependencies: [urnOf("vpc")] },
      { name: "host", dependencies: [urnOf("vpc")] },
      { name: "release", dependencies: [urnOf("host"), urnOf("db")] },
    ]);
    const engine = await stack.up([{ name: "new" }]);
    expect(stack.calls[0]).toBe("create new");
    expect(stack.calls[1]).toBe("delete release id4");
    expect(stack.calls[4]).toBe("delete vpc id1");
    expect(engine.changes).toMatchObject({ created: 1, deleted: 4 });
    expect(stack.state().resources.map(({ name }) => name)).toEqual(["new"]);
  });

  test("of children comes before that of their parent", async () => {
    await stack.up([{ name: "parent" }, { name: "child", parent: urnOf("parent") }]);
    await stack.engine().destroy();
    expect(stack.calls).toEqual(["delete child id2", "delete parent id1"]);
  });

  test("is left out for what goes with another resource", async () => {
    const host = urnOf("host");
    await stack.up([{ name: "host" }, { name: "slot", deletedWith: host, dependencies: [host] }]);
    await stack.up([]);
    expect(stack.calls).toEqual(["delete host id1"]);
    expect(stack.state().resources).toEqual([]);
  });

  test("is not left out when only the companion leaves the program", async () => {
    const host = urnOf("host");
    await stack.up([{ name: "host" }, { name: "slot", deletedWith: host, dependencies: [host] }]);
    await stack.up([{ name: "host" }]);
    expect(stack.calls).toEqual(["delete slot id2"]);
  });

  test("a replaced resource takes along what is deleted with it", async () => {
    const program = (kind: string): Declaration[] => [
      { name: "host", inputs: { kind } },
      { name: "slot", deletedWith: urnOf("host"), dependencies: [urnOf("host")] },
    ];
    await stack.up(program("x"));
    await stack.up(program("y"));
    expect(stack.calls).toEqual(["create host", "create slot", "delete host id1"]);
  });

  test("leaves alone what is to be retained", async () => {
    await stack.up([{ retainOnDelete: true }]);
    const engine = await stack.up([]);
    expect(stack.calls).toEqual([]);
    expect(engine.changes.deleted).toBe(1);
  });

  test("of something that fails keeps it, and what it needs, in the state", async () => {
    await stack.up([{ name: "vpc" }, { name: "db", dependencies: [urnOf("vpc")] }]);
    stack.failOn = "delete db id2";
    await expect(stack.up([])).rejects.toThrow("delete db id2 went wrong");
    expect(stack.state().resources.map(({ name }) => name)).toEqual(["vpc", "db"]);
  });
});

describe("a protected resource", () => {
  const held = /"db" \[test:Thing\] is protected and would be (deleted|replaced).*set protect to false/;

  test("is not deleted, and nothing else is either", async () => {
    await stack.up([{ name: "db", protect: true }, { name: "cache" }]);
    await expect(stack.up([])).rejects.toThrow(held);
    await expect(stack.engine().destroy()).rejects.toThrow(held);
    expect(stack.calls).toEqual([]);
  });

  test("is not replaced", async () => {
    await stack.up([{ name: "db", protect: true, inputs: { kind: "x" } }]);
    await expect(stack.up([{ name: "db", inputs: { kind: "y" } }])).rejects.toThrow(held);
    expect(stack.calls).toEqual([]);
  });

  test("may go after an up without the protection", async () => {
    await stack.up([{ name: "db", protect: true }]);
    await stack.up([{ name: "db", protect: false }]);
    await stack.up([]);
    expect(stack.calls).toEqual(["delete db id1"]);
  });
});
