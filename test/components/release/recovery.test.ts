// Whoever reads docs/recovery.md at night finds the code that the host printed, and no code that there is not.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

const root = path.resolve(__dirname, "../../..");
const scripts = path.join(root, "components/release/scripts");
const text = readFileSync(path.join(root, "docs/recovery.md"), "utf8");

function matches(source: string, pattern: RegExp): string[] {
  return [...source.matchAll(pattern)].map((match) => match[1] ?? "");
}

function sorted(values: Iterable<string>): string[] {
  return [...new Set(values)].sort();
}

const shell = readdirSync(scripts)
  .filter((file) => file.endsWith(".sh"))
  .map((file) => readFileSync(path.join(scripts, file), "utf8"))
  .join("\n");
const steps = execFileSync("bash", [path.join(scripts, "release.sh"), "--steps"], { encoding: "utf8" })
  .trim()
  .split("\n");

describe("docs/recovery.md", () => {
  const prepared = [
    ...matches(shell, /(?:^|[\s;|&])fail ([a-z]+(?:-[a-z]+)*) /gm),
    ...matches(shell, /failure_code=([a-z]+(?:-[a-z]+)*)$/gm),
  ];
  const blamed = ["lock", ...steps]
    .map((step) => `${step}-failed`)
    .filter((code) => !prepared.includes(code));

  it("has a section for every code of the scripts, and no other", () => {
    const codes = text.slice(text.indexOf("\n## Codes\n"), text.indexOf("\n## Codes of steps\n"));
    expect(sorted(matches(codes, /^### (.+)$/gm))).toEqual(sorted(prepared));
  });

  it("has a row for the code of every step that can fail without one, and no other", () => {
    const rows = text.slice(text.indexOf("\n## Codes of steps\n"));
    expect(sorted(matches(rows, /^\| ([a-z]+-failed) \|/gm))).toEqual(sorted(blamed));
  });

  it("says of every code what is printed, what happened, the cure and the exit status", () => {
    const sections = text
      .split(/^### /m)
      .filter((section) => prepared.includes(section.split("\n")[0] ?? ""));
    for (const section of sections) {
      const [code = ""] = section.split("\n");
      const says = ["Says", "What happened", "Cure", "Exit status"].filter((word) =>
        section.includes(`\n- ${word}: `),
      );
      expect([code, ...says]).toEqual([code, "Says", "What happened", "Cure", "Exit status"]);
    }
  });

  it("has a row for every exit status of the scripts, and no other", () => {
    const table = text.slice(text.indexOf("\n## Exit status\n"), text.indexOf("\n## What did not fail"));
    const ends = matches(shell, /(?:\becho|\bexit) (\d+)(?=\s*(?:;;|;|$|'))/gm);
    expect(sorted(matches(table, /^\| (\d+) \|/gm))).toEqual(
      sorted(ends.filter((status) => !["1", "130", "143"].includes(status))),
    );
  });
});
