import { execFileSync } from "node:child_process";
import { packTar } from "../../../../cli/sandbox/bodies/tar";

describe("a tar made in memory", () => {
  it("is read by tar, with modes and contents as given", () => {
    const long = `${"directory/".repeat(12)}file`;
    const archive = packTar([
      { path: "etc/key", content: "secret\n", mode: 0o600 },
      { path: long, content: "x".repeat(600) },
      { path: "empty", content: "" },
    ]);
    const listed = execFileSync("tar", ["-tvf", "-"], { input: archive, encoding: "utf8" });
    expect(listed).toMatch(/^-rw------- (root\/root|0\/0) +7 .* etc\/key$/m);
    expect(listed).toContain(long);
    expect(execFileSync("tar", ["-xOf", "-", "etc/key"], { input: archive, encoding: "utf8" })).toBe(
      "secret\n",
    );
  });

  it("refuses a path that it cannot hold", () => {
    expect(() => packTar([{ path: "x".repeat(101), content: "" }])).toThrow("too long for a tar");
  });
});
