import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { parseImages, setRelease } from "../../cli/commands/release";
import { CliError, describeError } from "../../cli/errors";
import { findProject, findStackApp } from "../../cli/project";

const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;
const web = `registry.example.com:5000/shop/web@${digest("a")}`;
const nginx = `registry.example.com:5000/shop/nginx@${digest("b")}`;

let directory: string;
beforeEach(() => (directory = mkdtempSync(path.join(tmpdir(), "slipway-release-"))));
afterEach(() => rmSync(directory, { recursive: true }));

function file(text?: string): string {
  const at = path.join(directory, "staging.yaml");
  if (text !== undefined) writeFileSync(at, text);
  return at;
}

async function refusal(work: () => unknown): Promise<{ code: number; text: string }> {
  const error = await Promise.resolve()
    .then(work)
    .then(
      () => undefined,
      (caught: unknown) => caught,
    );
  expect(error).toBeInstanceOf(CliError);
  return { code: (error as CliError).exitCode, text: describeError(error) };
}

describe("slipway release set", () => {
  it("writes release 1 when there is no file", async () => {
    await setRelease(file(), { web, nginx });
    expect(readFileSync(file(), "utf8")).toBe(`release: 1\nimages:\n  web: ${web}\n  nginx: ${nginx}\n`);
  });

  it("counts up, keeps the images that are not named, and keeps comments", async () => {
    file(
      `# What staging runs.\nrelease: 4 # counts up\nimages:\n  # the app\n  web: ${web}\n  nginx: ${nginx}\ncommit: abc\n`,
    );
    const next = `registry.example.com:5000/shop/web@${digest("c")}`;
    expect(await setRelease(file(), { web: next })).toMatchObject({
      previous: { release: 4 },
      next: { release: 5 },
    });
    expect(readFileSync(file(), "utf8")).toBe(
      `# What staging runs.\nrelease: 5 # counts up\nimages:\n  # the app\n  web: ${next}\n  nginx: ${nginx}\n`,
    );
  });

  it("takes the same images as a new release, and notes the commit", async () => {
    file(`release: 4\nimages:\n  web: ${web}\n`);
    await setRelease(file(), { web }, "0123abc");
    expect(readFileSync(file(), "utf8")).toBe(`release: 5\nimages:\n  web: ${web}\ncommit: 0123abc\n`);
  });

  it("fills the file of a stack that has shipped nothing yet", async () => {
    file("# Nothing is shipped yet.\nrelease: 0\nimages: {}\n");
    await setRelease(file(), { web });
    expect(readFileSync(file(), "utf8")).toContain("# Nothing is shipped yet.\nrelease: 1\n");
    expect((await setRelease(file(), {})).next).toEqual({ release: 2, images: { web } });
  });

  it.each([
    ["web=registry.example.com/shop/web:latest", 'the image of "web" is not named by its digest'],
    [
      `web=registry.example.com/shop/web@sha256:${"a".repeat(63)}`,
      'the image of "web" is not named by its digest',
    ],
    [web, "an image could not be read"],
    ["web=", "an image could not be read"],
    [`=${web}`, "an image could not be read"],
  ])("refuses %s and says what is accepted", async (arg, message) => {
    const { code, text } = await refusal(() => parseImages([arg]));
    expect(code).toBe(2);
    expect(text).toContain(message);
    expect(text).toContain(`received: ${arg}`);
    expect(text).toMatch(/accepted: NAME=REPOSITORY@sha256:.*\n {2}cure: /);
  });

  it("refuses a name that is given twice", async () => {
    expect((await refusal(() => parseImages([`web=${web}`, `web=${nginx}`]))).text).toContain(
      '"web" is given twice',
    );
  });

  it("leaves a file alone that it cannot read, and names the key", async () => {
    const broken = `release: four\nimages:\n  web: ${web}\n`;
    file(broken);
    const { code, text } = await refusal(() => setRelease(file(), { web }));
    expect(code).toBe(2);
    expect(text).toContain("staging.yaml is not a release file");
    expect(text).toContain("release: ");
    expect(readFileSync(file(), "utf8")).toBe(broken);
  });
});

describe("the project", () => {
  beforeEach(() => {
    writeFileSync(path.join(directory, "Pulumi.yaml"), "name: shop\n");
    writeFileSync(path.join(directory, "Pulumi.staging.yaml"), "config: {}\n");
    writeFileSync(
      path.join(directory, "Pulumi.production.yaml"),
      "config:\n  slipway:releasesFile: shipped.yaml\n",
    );
  });

  it("is found from a directory below it, with the release file of each stack", () => {
    expect(findProject(directory)).toBe(directory);
    expect(findStackApp(directory, "staging").releasesFile).toBe(
      path.join(directory, "releases/staging.yaml"),
    );
    expect(findStackApp(directory, "production").releasesFile).toBe(path.join(directory, "shipped.yaml"));
  });

  it("names the stacks that there are when asked for another one", async () => {
    const { code, text } = await refusal(() => findStackApp(directory, "stagging"));
    expect(code).toBe(2);
    expect(text).toMatch(
      /no stack "stagging"\n.*received: --stack stagging\n.*accepted: production, staging\n.*cure: /,
    );
  });

  describe("with several apps", () => {
    beforeEach(() => {
      writeFileSync(path.join(directory, "slipway.yaml"), "name: shop\n");
      writeFileSync(
        path.join(directory, "Pulumi.staging.yaml"),
        "config:\n  slipway:app: { directory: . }\n  slipway:apps:\n    wiki: { releasesFile: wiki.yaml }\n    blog: {}\n",
      );
    });

    it("has a release file for each, and finds it by the app's name", () => {
      const files = ["shop", "blog", "wiki"].map(
        (name) => findStackApp(directory, "staging", name).releasesFile,
      );
      const paths = ["releases/staging.yaml", "releases/staging/blog.yaml", "wiki.yaml"];
      expect(files).toEqual(paths.map((file) => path.join(directory, file)));
    });

    it("makes the directory of a release file that is the first of its kind", async () => {
      await setRelease(findStackApp(directory, "staging", "blog").releasesFile, { web });
      expect(readFileSync(path.join(directory, "releases/staging/blog.yaml"), "utf8")).toContain(
        "release: 1",
      );
    });

    it("wants to be told which one, and names those that there are", async () => {
      const { code, text } = await refusal(() => findStackApp(directory, "staging"));
      expect(code).toBe(2);
      expect(text).toMatch(
        /several apps\n.*received: no --app\n.*accepted: shop, blog, wiki\n.*cure: .*--app/,
      );
    });

    it("refuses a name that it does not have, also when there is one app only", async () => {
      expect((await refusal(() => findStackApp(directory, "staging", "blogg"))).text).toMatch(
        /no app "blogg"\n.*received: --app blogg\n.*accepted: shop, blog, wiki\n/,
      );
      expect((await refusal(() => findStackApp(directory, "production", "blog"))).text).toMatch(
        /no app "blog"\n[^]*leave --app out/,
      );
    });
  });
});
