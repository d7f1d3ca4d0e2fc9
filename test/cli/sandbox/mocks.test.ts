import * as pulumi from "@pulumi/pulumi";
import type { Engine } from "../../../cli/sandbox/engine";
import { runInSandbox } from "../../../cli/sandbox/mocks";
import type { Registration } from "../../../cli/sandbox/plan";
import { secret, type PropertyMap } from "../../../cli/sandbox/properties";

// Shows that the deep import of mocks.ts still gives what the sandbox lives on: the options of each resource.

const registrations = new Map<string, Registration>();
const completed = new Map<string, PropertyMap>();
const fake = {
  register: (registration: Registration) => {
    registrations.set(registration.name, registration);
    return Promise.resolve({
      id: registration.custom ? `id-of-${registration.name}` : "",
      outputs: { ...registration.inputs, made: secret("hidden"), open: registration.name },
    });
  },
  registerOutputs: (urn: string, outputs: PropertyMap) => completed.set(urn, outputs),
  invoke: (token: string, inputs: PropertyMap) =>
    Promise.resolve({ token, asked: inputs["name"], key: secret("k") }),
};

class Thing extends pulumi.CustomResource {
  declare readonly made: pulumi.Output<string>;
  declare readonly open: pulumi.Output<string>;
  constructor(name: string, inputs: pulumi.Inputs, options?: pulumi.CustomResourceOptions) {
    super("test:index:Thing", name, { ...inputs, made: undefined, open: undefined }, options);
  }
}

class Group extends pulumi.ComponentResource {
  readonly inner: Thing;
  constructor(name: string, inputs: pulumi.Inputs) {
    super("test:index:Group", name, inputs);
    this.inner = new Thing(`${name}-inner`, {}, { parent: this });
    this.registerOutputs({ inner: this.inner.open });
  }
}

async function program(): Promise<Record<string, unknown>> {
  const config = new pulumi.Config();
  const host = new Thing(
    "host",
    { size: "s", password: config.requireSecret("password") },
    { protect: true },
  );
  const companion = new Thing(
    "companion",
    { at: host.open, triggers: [1] },
    {
      dependsOn: [host],
      deletedWith: host,
      deleteBeforeReplace: true,
      retainOnDelete: true,
      ignoreChanges: ["userData"],
      replaceOnChanges: ["triggers[*]"],
      additionalSecretOutputs: ["stdout"],
      aliases: [{ name: "former" }],
    },
  );
  const group = new Group("group", { token: pulumi.secret("t") });
  const answer = (await pulumi.runtime.invoke("test:index:lookUp", { name: "x" })) as PropertyMap;
  const called = pulumi.runtime.invokeOutput<PropertyMap>("test:index:lookUp", { name: "y" });
  return Promise.resolve({
    plain: companion.open,
    hidden: host.made,
    inner: group.inner.open,
    answer: answer["asked"],
    called: called.apply((value) => value["asked"]),
    setting: config.require("setting"),
  });
}

let outputs: PropertyMap;
beforeAll(async () => {
  outputs = await runInSandbox(
    {
      engine: fake as unknown as Engine,
      project: "shop",
      stack: "dev",
      preview: false,
      config: { "shop:password": "p", "shop:setting": "s" },
      secretKeys: ["shop:password"],
    },
    program,
  );
});

test("the options of a resource arrive", () => {
  const host = "urn:pulumi:dev::shop::test:index:Thing::host";
  expect(registrations.get("host")).toMatchObject({
    protect: true,
    custom: true,
    deleteBeforeReplace: undefined,
  });
  expect(registrations.get("companion")).toMatchObject({
    urn: "urn:pulumi:dev::shop::test:index:Thing::companion",
    inputs: { at: "host", triggers: [1] },
    dependencies: [host],
    propertyDependencies: { at: [host] },
    protect: false,
    deletedWith: host,
    deleteBeforeReplace: true,
    retainOnDelete: true,
    ignoreChanges: ["userData"],
    replaceOnChanges: ["triggers[*]"],
    additionalSecretOutputs: ["stdout"],
    aliases: ["urn:pulumi:dev::shop::test:index:Thing::former"],
  });
});

test("secrets arrive wrapped and go back wrapped", () => {
  expect(registrations.get("host")?.inputs).toEqual({ size: "s", password: secret("p") });
  expect(registrations.get("group")?.inputs).toEqual({ token: secret("t") });
  expect(outputs["hidden"]).toEqual(secret("hidden"));
  expect(outputs["called"]).toEqual(secret("y"));
});

test("outputs, configuration and functions work", () => {
  expect(outputs).toMatchObject({ plain: "companion", inner: "group-inner", answer: "x", setting: "s" });
});

test("URNs are those of the real engine: the types of all parents but the stack", () => {
  const group = "urn:pulumi:dev::shop::test:index:Group::group";
  expect(registrations.get("group")).toMatchObject({ urn: group, custom: false });
  expect(registrations.get("group-inner")).toMatchObject({
    urn: "urn:pulumi:dev::shop::test:index:Group$test:index:Thing::group-inner",
    parent: group,
  });
  expect(completed.get(group)).toEqual({ inner: "group-inner" });
});
