import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readProject, readStackConfig, type ConfigMap, type StackConfig } from "../../../cli/sandbox/config";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "slipway-config-"));
  write("Pulumi.yaml", "name: shop\nruntime: nodejs\n");
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

function write(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

function read(stackFile: string, overlays: string[] = [], config?: ConfigMap): Promise<StackConfig> {
  write("Pulumi.dev.yaml", stackFile);
  const made: Record<string, string> = {};
  return readStackConfig({
    programDirectory: directory,
    stack: "dev",
    overlays: overlays.map((text, index) => write(`overlay${index}.yaml`, text)),
    config,
    generate: (key, make) => (made[key] ??= make()),
    lookUp: (name) => Promise.resolve(`<${name}>`),
  });
}

test("values arrive as Pulumi hands them to a program: text as it is, the rest as JSON, keys with a namespace", async () => {
  const { values, secretKeys } = await read(
    "config:\n  size: s\n  shop:count: 3\n  other:list: [1, {a: true}]\n",
  );
  expect(values).toEqual({ "shop:size": "s", "shop:count": "3", "other:list": '[1,{"a":true}]' });
  expect(secretKeys).toEqual([]);
});

test("overlays are merged key by key; null removes; lists and texts replace", async () => {
  const base = "config:\n  shop:host: {size: s, sshFrom: [a, b], image: i}\n  shop:gone: {a: 1}\n";
  const overlay = "config:\n  shop:host: {sshFrom: [c], image: null, extra: {deep: 1}}\n  shop:gone: null\n";
  const { values } = await read(base, [overlay], { host: { size: "m" } });
  expect(JSON.parse(values["shop:host"] ?? "")).toEqual({ size: "m", sshFrom: ["c"], extra: { deep: 1 } });
  expect(values).not.toHaveProperty("shop:gone");
});

test("a secret that cannot be decrypted gets a generated value, is named, and its key is secret", async () => {
  const { values, secretKeys, generated } = await read(
    "config:\n  shop:secrets:\n    KEY: {secure: v1:x:y}\n    list: [{secure: v1:z}]\n    plain: p\n  token: {secure: v1:t}\n",
  );
  const secrets = JSON.parse(values["shop:secrets"] ?? "") as Record<string, unknown>;
  expect(secrets).toEqual({
    KEY: expect.stringMatching(/^[a-zA-Z0-9]{40}$/) as unknown,
    list: [expect.stringMatching(/^[a-zA-Z0-9]{40}$/)],
    plain: "p",
  });
  expect(secretKeys).toEqual(["shop:secrets", "shop:token"]);
  expect(generated).toEqual(["shop:secrets.KEY", "shop:secrets.list[0]", "shop:token"]);
});

test("an overlay can give a secret, have one generated, and take what the sandbox knows", async () => {
  const tricky = `@ $ # ' " % \\ \${not.ours} and spaces`;
  const { values, secretKeys, generated } = await read(
    "config:\n  shop:secrets: {A: {secure: v1:x}, B: {secure: v1:y}}\n",
    ["config:\n  shop:acme: {directory: '${acme.directory}', ca: '${acme.ca} and ${acme.ca}'}\n"],
    { secrets: { A: { secret: tricky }, B: { generate: 7 } }, plain: "x" },
  );
  expect(JSON.parse(values["shop:secrets"] ?? "")).toEqual({
    A: tricky,
    B: expect.stringMatching(/^[a-zA-Z0-9]{7}$/) as unknown,
  });
  expect(JSON.parse(values["shop:acme"] ?? "")).toEqual({
    directory: "<acme.directory>",
    ca: "<acme.ca> and <acme.ca>",
  });
  expect(secretKeys).toEqual(["shop:secrets"]);
  expect(generated).toEqual([]);
});

test("the program is found as Pulumi finds it", () => {
  expect(readProject(directory)).toEqual({ name: "shop", entry: join(directory, "index.ts") });
  write("package.json", '{"main": "infra/index.ts"}');
  expect(readProject(directory).entry).toBe(join(directory, "infra/index.ts"));
});

test.each([
  ["config: [a]\n", /Pulumi\.dev\.yaml: config: expected a map/],
  ["- a\n", /Pulumi\.dev\.yaml: expected a map/],
])("a stack file of another form is refused: %#", async (text, message) => {
  await expect(read(text)).rejects.toThrow(message);
});
