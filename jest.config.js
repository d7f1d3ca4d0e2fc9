const transform = {
  "^.+\\.ts$": [
    "@swc/jest",
    { jsc: { parser: { syntax: "typescript" }, target: "es2022" }, module: { type: "commonjs" } },
  ],
};
const common = {
  testEnvironment: "node",
  transform,
  modulePathIgnorePatterns: ["<rootDir>/.sandbox", "<rootDir>/examples"],
};

/** @type {import("jest").Config} */
module.exports = {
  projects: [
    { ...common, displayName: "unit", testMatch: ["<rootDir>/test/{components,infra,cli}/**/*.test.ts"] },
    {
      ...common,
      displayName: "sandbox",
      globalSetup: "<rootDir>/test/sandbox/setup.ts",
      testMatch: ["<rootDir>/test/sandbox/**/*.test.ts"],
    },
  ],
};
