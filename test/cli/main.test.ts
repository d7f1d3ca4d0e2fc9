// The command as a shell sees it: its exit codes, and what goes to which stream.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

const bin = path.join(__dirname, "../../cli/bin/slipway.cjs");
const image = `registry.example.com/shop/web@sha256:${"a".repeat(64)}`;

let project: string;
beforeEach(() => {
  project = mkdtempSync(path.join(tmpdir(), "slipway-main-"));
  writeFileSync(path.join(project, "Pulumi.yaml"), "name: shop\n");
  writeFileSync(path.join(project, "Pulumi.staging.yaml"), "config:\n  slipway:releasesFile: shipped.yaml\n");
});
afterEach(() => rmSync(project, { recursive: true }));

function slipway(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [bin, ...args], { cwd: project }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
    });
  });
}

describe("the slipway command", () => {
  it("exits with 0 when it did what was asked for, and says what comes next", async () => {
    const { code, stdout, stderr } = await slipway("release", "set", "--stack", "staging", `web=${image}`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("shipped.yaml: release 1 (was 0)");
    expect(stdout).toContain("pulumi up --stack staging");
    expect(readFileSync(path.join(project, "shipped.yaml"), "utf8")).toContain(image);
  }, 20_000);

  it("exits with 2 when it cannot be done as asked for, without a stack trace", async () => {
    const unknown = await slipway("release", "set", "--stack", "nope", `web=${image}`);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toMatch(
      /there is no stack "nope"\n.*received: --stack nope\n.*accepted: staging\n.*cure: /,
    );
    expect(unknown.stderr).not.toMatch(/^ +at /m);
    expect(unknown.stdout).toBe("");
    expect((await slipway("rehearse", "--only", "lunch")).code).toBe(2);
    expect((await slipway("rehearse")).stderr).toContain("no slipway:app in Pulumi.staging.yaml");
  }, 30_000);

  it("documents its exit codes", async () => {
    expect((await slipway("--help")).stdout).toMatch(
      /Exit codes:\n {2}0 .*\n {2}1 .*\n {2}2 .*\n {2}125 .*\n {2}130 /,
    );
  }, 20_000);
});
