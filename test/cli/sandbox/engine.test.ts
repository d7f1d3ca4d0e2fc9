import { rmSync, writeFileSync } from "node:fs";
import { secret, type PropertyMap } from "../../../cli/sandbox/properties";
import type { ResourceHandler } from "../../../cli/sandbox/resources/handler";
import { FakeStack, registration, urnOf, type Declaration } from "./harness";

let stack: FakeStack;
beforeEach(() => {
  stack = new FakeStack();
});
afterEach(() => {
  stack.remove();
});

describe("a second up", () => {
  test("performs nothing and gives the same outputs", async () => {
    const program = [
      { name: "db", inputs: { value: 1 } },
      { name: "app", dependencies: [urnOf("db")] },
    ];
    await stack.up(program);
    const engine = stack.engine();
    const result = await engine.register(registration({ name: "db", inputs: { value: 1 } }));
    await engine.register(registration({ name: "app", dependencies: [urnOf("db")] }));
    await engine.finish();
    expect(stack.calls).toEqual([]);
    expect(engine.changes).toEqual({ created: 0, updated: 0, replaced: 0, unchanged: 2, deleted: 0 });
    expect(result).toMatchObject({ id: "id1", outputs: { value: 1, echo: 1 } });
  });

  test("does not mind that a value has become a secret", async () => {
    await stack.up([{ inputs: { value: "x" } }]);
    await stack.up([{ inputs: { value: secret("x") } }]);
    expect(stack.calls).toEqual([]);
    expect(stack.file()).not.toContain('"value": "x"');
  });
});

describe("a changed input", () => {
  test("updates in place, and outputs that did not change stay", async () => {
    await stack.up([{ inputs: { value: 1 } }]);
    const engine = stack.engine();
    const { id, outputs } = await engine.register(registration({ inputs: { value: 2 } }));
    expect(stack.calls).toEqual(["update thing"]);
    expect(id).toBe("id1");
    expect(outputs).toMatchObject({ value: 2, echo: 2, password: secret("made for thing") });
  });

  test("is not seen where the program ignores it", async () => {
    await stack.up([{ inputs: { value: 1, nested: { a: 1, b: 1 }, list: ["x", "y"] } }]);
    const inputs = { value: 2, nested: { a: 2, b: 1 }, list: ["x", "z"], kind: "new" };
    await stack.up([{ inputs, ignoreChanges: ["value", "nested.a", "list[1]", "kind"] }]);
    expect(stack.calls).toEqual([]);
  });

  test("of a fixed property replaces: the new one first, the old one when all else is done", async () => {
    await stack.up([{ name: "a", inputs: { kind: "x" } }]);
    const engine = await stack.up([{ name: "a", inputs: { kind: "y" } }, { name: "b" }]);
    expect(stack.calls).toEqual(["create a", "create b", "delete a id1"]);
    expect(engine.changes).toMatchObject({ created: 1, replaced: 1, deleted: 0 });
  });

  test("replaces where replaceOnChanges says so, also behind a wildcard", async () => {
    await stack.up([{ inputs: { triggers: [1, 2] } }]);
    await stack.up([{ inputs: { triggers: [1, 3] }, replaceOnChanges: ["triggers[*]"] }]);
    expect(stack.calls).toEqual(["create thing", "delete thing id1"]);
  });

  test("replaces when the type cannot be updated, or the replacement trigger changed", async () => {
    await stack.up([
      { type: "test:Fixed", inputs: { a: 1 } },
      { name: "other", replacementTrigger: 1 },
    ]);
    await stack.up([
      { type: "test:Fixed", inputs: { a: 2 } },
      { name: "other", replacementTrigger: 2 },
    ]);
    expect(stack.calls).toEqual(["create thing", "create other", "delete other id2", "delete thing id1"]);
  });

  test("with deleteBeforeReplace: the old one goes first, and before it what is fixed to it", async () => {
    const program = (kind: string): Declaration[] => [
      { name: "disk", inputs: { kind }, deleteBeforeReplace: true },
      {
        name: "mount",
        type: "test:Fixed",
        inputs: { disk: kind },
        dependencies: [urnOf("disk")],
        propertyDependencies: { disk: [urnOf("disk")] },
      },
    ];
    await stack.up(program("x"));
    const engine = await stack.up(program("y"));
    expect(stack.calls).toEqual(["delete mount id2", "delete disk id1", "create disk", "create mount"]);
    expect(engine.changes).toMatchObject({ replaced: 2, created: 0, deleted: 0 });
  });
});

describe("a failure", () => {
  test("to create records nothing, begins nothing more, and the next up tries again", async () => {
    stack.failOn = "create db";
    const engine = stack.engine();
    await expect(engine.register(registration({ name: "db" }))).rejects.toThrow("create db went wrong");
    await expect(engine.register(registration({ name: "app" }))).rejects.toThrow(
      '"db" [test:Thing] failed before',
    );
    expect(engine.operations.failures[0]).toMatchObject({ name: "db", message: "create db went wrong" });
    expect(stack.state().resources).toEqual([]);
    stack.failOn = undefined;
    await stack.up([{ name: "db" }]);
    expect(stack.calls).toEqual(["create db"]);
  });

  test("to replace keeps the old one, and the next up replaces it again", async () => {
    await stack.up([{ name: "db", inputs: { kind: "x" } }]);
    stack.failOn = "create db";
    await expect(stack.up([{ name: "db", inputs: { kind: "y" } }])).rejects.toThrow("went wrong");
    expect(stack.state().find(urnOf("db"))).toMatchObject({ id: "id1", inputs: { kind: "x" } });
    stack.failOn = undefined;
    await stack.up([{ name: "db", inputs: { kind: "y" } }]);
    expect(stack.calls).toEqual(["create db", "delete db id1"]);
  });

  test("to update keeps the old inputs, so that the next up updates again", async () => {
    await stack.up([{ inputs: { value: 1 } }]);
    stack.failOn = "update thing";
    await expect(stack.up([{ inputs: { value: 2 } }])).rejects.toThrow("went wrong");
    stack.failOn = undefined;
    await stack.up([{ inputs: { value: 2 } }]);
    expect(stack.calls).toEqual(["update thing"]);
  });

  test("after a replacement leaves the old one to the next up", async () => {
    await stack.up([{ name: "a", inputs: { kind: "x" } }]);
    stack.failOn = "create b";
    await expect(stack.up([{ name: "a", inputs: { kind: "y" } }, { name: "b" }])).rejects.toThrow(
      "went wrong",
    );
    stack.failOn = undefined;
    await stack.up([{ name: "a", inputs: { kind: "y" } }, { name: "b" }]);
    expect(stack.calls).toEqual(["create b", "delete a id1"]);
  });
});

describe("secrets", () => {
  const password = "correct horse $ battery";

  test("are nowhere in the clear in the state, and come back wrapped", async () => {
    const inputs: PropertyMap = {
      connection: secret({ host: "h", privateKey: password }),
      list: [secret(password)],
    };
    await stack.up([{ inputs, additionalSecretOutputs: ["echo"] }]);
    expect(stack.file()).not.toContain(password);
    expect(stack.file()).not.toContain("made for thing");
    const { outputs } = await stack.engine().register(registration({ inputs }));
    expect(outputs["connection"]).toEqual(secret({ host: "h", privateKey: password }));
    expect(outputs["password"]).toEqual(secret("made for thing"));
  });

  test("that an output repeats stay secret in it; the handler sees them plain", async () => {
    let seen: unknown;
    stack.resources["test:Echo"] = {
      create: ({ inputs }) => {
        seen = inputs;
        return { id: "1", outputs: { tags: [password], other: "plain" } };
      },
    };
    const engine = stack.engine();
    const { outputs } = await engine.register(
      registration({
        type: "test:Echo",
        inputs: { tags: [secret(password)] },
        additionalSecretOutputs: ["other"],
      }),
    );
    expect(seen).toEqual({ tags: [password] });
    expect(outputs).toEqual({ tags: [secret(password)], other: secret("plain") });
  });

  test("cannot be read without the key, or with another stack's file", async () => {
    await stack.up([{ inputs: { value: secret("x") } }]);
    const text = stack.file().replace('"stack": "dev"', '"stack": "prod"');
    writeFileSync(`${stack.directory}/state.json`, text);
    expect(() => stack.state()).toThrow(/holds stack "shop\/prod".*expected "shop\/dev"/);
    rmSync(`${stack.directory}/key`);
    expect(() => stack.state()).toThrow(/its key .* is missing/);
  });
});

describe("a preview", () => {
  test("says what would happen and does nothing", async () => {
    await stack.up([
      { name: "a", inputs: { kind: "x" } },
      { name: "b" },
      { name: "c", inputs: { value: 1 } },
    ]);
    const before = stack.file();
    const program: Declaration[] = [
      { name: "a", inputs: { kind: "y" } },
      { name: "c", inputs: { value: 2 } },
      { name: "d" },
    ];
    const engine = await stack.up(program, true);
    expect(engine.changes).toEqual({ created: 1, updated: 1, replaced: 1, unchanged: 0, deleted: 1 });
    expect(stack.calls).toEqual([]);
    expect(stack.file()).toBe(before);
  });
});

test("a type that nobody expected is refused with its name", async () => {
  await expect(stack.up([{ type: "aws:s3/bucket:Bucket" }])).rejects.toThrow(
    "does not know the resource type aws:s3/bucket:Bucket",
  );
});

test("two resources with one URN are refused", async () => {
  await expect(stack.up([{ name: "a" }, { name: "a" }])).rejects.toThrow("registered twice");
});

test("a renamed resource keeps what it has, by its alias", async () => {
  await stack.up([{ name: "old" }]);
  await stack.up([{ name: "new", aliases: [urnOf("old")] }]);
  expect(stack.calls).toEqual([]);
  expect(stack.state().resources.map(({ urn, id }) => [urn, id])).toEqual([[urnOf("new"), "id1"]]);
});

test("an interrupted run begins nothing new and deletes nothing", async () => {
  await stack.up([{ name: "a" }]);
  const engine = stack.engine();
  engine.operations.interrupt();
  await expect(engine.register(registration({ name: "b" }))).rejects.toThrow("the run was interrupted");
  await expect(engine.destroy()).rejects.toThrow("the run was interrupted");
  expect(stack.calls).toEqual([]);
});

test("what was removed behind the sandbox's back is made again, and what is deleted with it too", async () => {
  let there = true;
  stack.resources["test:Thing"] = {
    ...stack.resources["test:Thing"],
    stands: () => there,
  } as ResourceHandler;
  const slot = {
    name: "slot",
    type: "test:Fixed",
    deletedWith: urnOf("host"),
    dependencies: [urnOf("host")],
  };
  await stack.up([{ name: "host" }, slot]);
  await stack.up([{ name: "host" }, slot]);
  expect(stack.calls).toEqual([]);
  there = false;
  const engine = await stack.up([{ name: "host" }, slot]);
  expect(stack.calls).toEqual(["create host", "create slot"]);
  expect(engine.changes).toMatchObject({ replaced: 2, created: 0, deleted: 0 });
});
