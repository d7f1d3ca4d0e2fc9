import { dotenvProblems, encodeDotenv } from "../../../components/app";

// That docker compose reads back what is written is shown with the real compose, in test/sandbox/dotenv.test.ts.
describe("encodeDotenv", () => {
  it("puts every value in double quotes and escapes what compose would interpret", () => {
    const text = encodeDotenv({ DEBUG: "0", SECRET_KEY: `a b$c"d'e\\f#g`, PEM: "one\r\ntwo\n", EMPTY: "" });
    expect(text).toBe(
      ['DEBUG="0"', `SECRET_KEY="a b\\$c\\"d'e\\\\f#g"`, 'PEM="one\\r\\ntwo\\n"', 'EMPTY=""', ""].join("\n"),
    );
  });

  it("writes an empty file for no variables", () => {
    expect(encodeDotenv({})).toBe("");
  });

  it.each([
    ["NUL", "hunter\0two"],
    ["half of a surrogate pair", "hunter\ud83d"],
    ["more bytes than Linux passes on", "hunter".repeat(21846)],
  ])("refuses a value with %s, and names the variable without showing its value", (_, value) => {
    const encode = (): string => encodeDotenv({ FINE: "x", PASSWORD: value });
    expect(encode).toThrow(/environment\.PASSWORD: received|environment\.PASSWORD: /);
    expect(encode).not.toThrow(/hunter/);
    expect(encode).not.toThrow(/FINE/);
  });

  it.each(["", "1ST", "A-B", "A B", "A=B", "A\nB", "É", "a.b"])("refuses the name %j", (name) => {
    expect(() => encodeDotenv({ [name]: "value" })).toThrow(/letters, digits and underscores/);
  });

  it.each(["COMPOSE_FILE", "COMPOSE_PROJECT_NAME", "DOCKER_HOST", "DOCKER_CONFIG", "SLIPWAY_COLOUR"])(
    "refuses %s, which would change what runs",
    (name) => {
      expect(() => encodeDotenv({ [name]: "value" })).toThrow(`environment.${name}`);
    },
  );

  it.each(["COMPOSE_PROFILES", "DOCKER_IMAGE", "COMPOSER", "_", "a1"])("takes %s", (name) => {
    expect(encodeDotenv({ [name]: "value" })).toBe(`${name}="value"\n`);
  });

  it("tells of every variable at once", () => {
    expect(dotenvProblems({ "A-B": "x", C: "\0", D: 1, E: "fine" }).map(({ path }) => path)).toEqual([
      'environment."A-B"',
      "environment.C",
      "environment.D",
    ]);
  });
});
