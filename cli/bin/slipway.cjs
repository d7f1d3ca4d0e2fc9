#!/usr/bin/env node
require("tsx/cjs");
require("../main.ts")
  .main(process.argv)
  .then((code) => {
    process.exitCode = code;
  });
