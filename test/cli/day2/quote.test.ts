// What arrives on the other side of SSH's one command line is what was typed.
import { execFileSync } from "node:child_process";
import * as fc from "fast-check";
import { quoteWords } from "../../../cli/day2/quote";
import { hostCommand } from "../../../cli/day2/session";

function split(line: string): string[] {
  const out = execFileSync("sh", ["-c", `for word in ${line}; do printf '%s\\0' "$word"; done`], {
    encoding: "utf8",
  });
  return out.split("\0").slice(0, -1);
}

test.each([
  [["plain", "with-dash", "a=b", "/etc/x"]],
  [["a b", "it's", '"x"', "$HOME", "`id`", "\\", "!"]],
  [["", "-x", "--", "*", "~", "#", "ünï ☃", "new\nline", "tab\there"]],
])("%j arrives as it is", (words) => {
  expect(split(quoteWords(words))).toEqual(words);
});

test("so does anything else", () => {
  const word = fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\0"));
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), (words) => {
      expect(split(quoteWords(words))).toEqual(words);
    }),
    { numRuns: 50 },
  );
});

test("the host's script is called as root, with the words quoted, and its absence is told", () => {
  const line = hostCommand("shop", ["exec", "--", "echo", "it's; rm -rf /"]);
  expect(line).toMatch(
    /exec \$S \/var\/lib\/slipway\/shop\/bin\/day2\.sh exec -- echo 'it'\\''s; rm -rf \/'$/,
  );
  expect(line).toContain("the host has nothing of the app shop yet");
});
