import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { stringify } from "yaml";
import { describeError } from "../../../cli/errors";
import { chooseApp } from "../../../cli/rehearse/chosenApp";
import { readStackConfig } from "../../../cli/sandbox/config";

let project: string;
beforeEach(() => {
  project = mkdtempSync(path.join(tmpdir(), "slipway-chosen-"));
  writeFileSync(path.join(project, "Pulumi.yaml"), "name: shop\n");
  mkdirSync(path.join(project, "shop"));
  writeFileSync(path.join(project, "shop/slipway.yaml"), "name: shop\n");
  const config = {
    "slipway:app": { directory: "shop", drainSeconds: 5 },
    "slipway:environment": { COLOUR: "blue" },
    "slipway:secrets": { KEY: "of-shop" },
    "slipway:secretKeyGenerations": [3],
    "slipway:database": { size: "big", name: "shop", pool: { mode: "session", size: 3 } },
    "slipway:apps": {
      blog: {
        ...{ directory: "blog", domains: ["blog.example.com"], releasesFile: "b.yaml" },
        ...{ secrets: { TOKEN: "of-blog" }, secretKeyGenerations: [2, 1], database: { loginGeneration: 2 } },
      },
      wiki: { directory: "wiki" },
    },
  };
  writeFileSync(path.join(project, "Pulumi.staging.yaml"), stringify({ config }));
});
afterEach(() => rmSync(project, { recursive: true }));

/** The stack as the rehearsal of this app runs it. */
async function rehearsed(app: string): Promise<Record<string, unknown>> {
  const overlays = chooseApp(project, { stack: "staging", app }).layers.map((config, index) => {
    const file = path.join(project, `${index}.yaml`);
    writeFileSync(file, stringify({ config }));
    return file;
  });
  const source = { programDirectory: project, stack: "staging", overlays, generate: () => "" };
  const { values } = await readStackConfig(source);
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, JSON.parse(value) as unknown]),
  );
}

test("the first of several apps is rehearsed as if it were alone", async () => {
  expect(Object.keys(await rehearsed("shop"))).toEqual([
    "slipway:app",
    "slipway:environment",
    "slipway:secrets",
    "slipway:secretKeyGenerations",
    "slipway:database",
  ]);
  expect(chooseApp(project, { stack: "staging", app: "shop" })).toMatchObject({
    appDirectory: path.join(project, "shop"),
    inline: { drainSeconds: 5 },
    otherApp: false,
  });
});

test("another one takes its place, with what it has of its own and nothing of the first", async () => {
  expect(await rehearsed("blog")).toEqual({
    "slipway:app": { directory: "blog", domains: ["blog.example.com"], name: "blog" },
    "slipway:secrets": { TOKEN: "of-blog" },
    "slipway:secretKeyGenerations": [2, 1],
    "slipway:database": { size: "big", loginGeneration: 2 },
  });
  expect(await rehearsed("wiki")).toEqual({ "slipway:app": { directory: "wiki", name: "wiki" } });
});

test("an app that is named by its directory needs no stack's word", () => {
  const { otherApp, layers } = chooseApp(project, { stack: "staging", app: path.join(project, "shop") });
  expect([otherApp, layers]).toEqual([true, []]);
});

test.each([
  [undefined, /several apps[^]*accepted: shop, blog, wiki[^]*--app/],
  ["blogg", /does not describe itself[^]*accepted: shop, blog, wiki, a directory with a slipway\.yaml/],
])("%s is refused with the names that there are", (app, text) => {
  let message = "";
  try {
    chooseApp(project, { stack: "staging", app });
  } catch (error) {
    message = describeError(error);
  }
  expect(message).toMatch(text);
});
