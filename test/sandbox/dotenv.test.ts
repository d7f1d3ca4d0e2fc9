import fc from "fast-check";
import { encodeDotenv } from "../../components/app";
import { composeConfig } from "./compose";
import { describeSandbox } from "./support";

const name = (index: number): string => `V${String(index)}`;

/** Both ways a value takes into a container: as `env_file:`, and through `${VAR}` in the compose file. */
async function readBack(values: readonly string[]): Promise<{ envFile: string[]; interpolated: string[] }> {
  const vars = Object.fromEntries(values.map((value, index) => [name(index), value]));
  const compose = {
    services: {
      "env-file": { image: "app", env_file: ".env" },
      interpolated: {
        image: "app",
        environment: Object.fromEntries(values.map((_, index) => [name(index), `\${${name(index)}}`])),
      },
    },
  };
  const files = { ".env": encodeDotenv(vars), "compose.yml": JSON.stringify(compose) };
  const { services } = await composeConfig(files, ["compose.yml"]);
  const read = (service: string): string[] =>
    values.map((_, index) => services[service]?.environment?.[name(index)] ?? "(missing)");
  return { envFile: read("env-file"), interpolated: read("interpolated") };
}

const printable = Array.from({ length: 0x7f - 0x20 }, (_, index) => String.fromCharCode(0x20 + index));
const control = Array.from({ length: 0x1f }, (_, index) => String.fromCharCode(index + 1)).concat("\x7f");
const awkward = [
  ..."@$#'\"%\\ ",
  "\n",
  "\r",
  "\t",
  "\r\n",
  "$$",
  "${",
  "}",
  "${X}",
  "$X",
  "${X:-y}",
  "\\n",
  "\\$",
  "\\\\",
  "=",
  "!",
  "`",
];

describeSandbox("a .env file, read by docker compose", () => {
  jest.setTimeout(300_000);

  it("holds every printable character, alone and at either end of a value", async () => {
    const values = printable.flatMap((char) => [char, `${char}x`, `x${char}`, `x${char}y`, `${char}${char}`]);
    expect(await readBack(values)).toEqual({ envFile: values, interpolated: values });
  });

  it("holds every pair of the characters that mean something to a shell, to YAML or to compose", async () => {
    const values = awkward.flatMap((first) => awkward.map((second) => `a${first}${second}`).concat(first));
    expect(await readBack(values)).toEqual({ envFile: values, interpolated: values });
  });

  it("holds control characters, other scripts, and values that look like something else", async () => {
    const others = [
      "",
      " ",
      "  both ends  ",
      "\tboth ends\t",
      "\n\n",
      "line one\nline two\n",
      "-----BEGIN CERTIFICATE-----\nMIIB+/=\n-----END CERTIFICATE-----\n",
      "ends with \\",
      "ends with \\\\",
      "export A=b",
      "A=b # no comment",
      "null",
      "true",
      "0123",
      "\ufeffbyte order mark",
      "é ß 漢字 🚢 \u2028 \u00a0",
      '{"json": "a \\"b\\" $c"}',
      "x".repeat(60_000),
    ];
    const values = [...others, ...control, ...control.map((char) => `a${char}b`)];
    expect(await readBack(values)).toEqual({ envFile: values, interpolated: values });
  });

  it("holds any text without NUL", async () => {
    const piece = fc.oneof(
      fc.constantFrom(...awkward),
      fc.string({ unit: "grapheme-ascii", maxLength: 4 }),
      fc.string({ unit: "binary", maxLength: 2 }).map((text) => text.replaceAll("\0", "")),
    );
    const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));
    const many = fc.array(text, { minLength: 1500, maxLength: 1500 });
    await fc.assert(
      fc.asyncProperty(many, async (values) => {
        expect(await readBack(values)).toEqual({ envFile: values, interpolated: values });
      }),
      { numRuns: 4, endOnFailure: true },
    );
  });
});
