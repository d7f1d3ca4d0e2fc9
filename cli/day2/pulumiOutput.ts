// The stack's `access` output, from the Pulumi CLI: it knows the backend, who is logged in, and how to decrypt.
import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import * as path from "node:path";
import { CliError, usageError } from "../errors";

export interface PulumiFailure {
  /** `ENOENT` when there is no such program. */
  readonly code?: string | number;
  readonly stderr: string;
}

/** Reads the output `access`. @throws CliError with the cure. */
export async function readPulumiAccess(project: string, stack: string): Promise<unknown> {
  const [program, ...first] = findPulumi(project);
  const words = [
    "stack",
    "output",
    "access",
    "--json",
    "--show-secrets",
    "--non-interactive",
    "--stack",
    stack,
  ];
  const stdout = await new Promise<string>((resolve, reject) => {
    execFile(
      program ?? "pulumi",
      [...first, ...words],
      { cwd: project, maxBuffer: 16 << 20, env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" } },
      (error, out, stderr) => {
        if (error === null) resolve(out);
        else reject(pulumiProblem({ code: error.code ?? undefined, stderr }, stack));
      },
    );
  });
  try {
    return JSON.parse(stdout) as unknown;
  } catch {
    throw new CliError("pulumi did not print the output `access` as JSON", {
      cure: `run it yourself and see: pulumi stack output access --json --stack ${stack}`,
    });
  }
}

/** The one that is installed, then the project's own. npx puts that one first on PATH, and it may have to be downloaded. */
function findPulumi(project: string): readonly string[] {
  const own = (directory: string): boolean => directory.endsWith(path.join("node_modules", ".bin"));
  const onPath = (process.env["PATH"] ?? "")
    .split(path.delimiter)
    .filter((each) => each !== "" && !own(each));
  for (const directory of [...onPath, path.join(project, "node_modules/.bin")]) {
    try {
      const candidate = path.join(directory, "pulumi");
      accessSync(candidate, constants.X_OK);
      return [candidate];
    } catch {
      // Not in this one.
    }
  }
  return ["npx", "pulumi"];
}

/** What Pulumi's words mean for somebody who asked for a host. */
export function pulumiProblem({ code, stderr }: PulumiFailure, stack: string): CliError {
  if (code === "ENOENT") {
    return usageError("there is no Pulumi CLI here", {
      accepted: "pulumi on PATH, or npx",
      cure: "install it: npm install --save-dev pulumi, or https://www.pulumi.com/docs/install",
    });
  }
  if (/does not have output property/.test(stderr)) {
    return usageError(`stack ${stack} has no host that this command could reach`, {
      received: "no output `access`",
      accepted: "a stack that was brought up by a program which exports `access`, as infra/index.ts does",
      cure: `run pulumi up --stack ${stack}`,
    });
  }
  if (/no stack named|stack .*not found/i.test(stderr)) {
    return usageError(`nothing is deployed as stack ${stack}`, {
      received: "a stack that the backend does not have",
      accepted: "a stack that was brought up with pulumi up",
      cure: `make it and bring it up: pulumi stack init ${stack}, then pulumi up`,
    });
  }
  if (/pulumi login|PULUMI_ACCESS_TOKEN|not logged in|invalid access token/i.test(stderr)) {
    return usageError("Pulumi is not logged in to the backend that holds the stack", {
      cure: "run pulumi login, as when you deploy; in a pipeline set PULUMI_ACCESS_TOKEN or PULUMI_BACKEND_URL",
    });
  }
  if (/passphrase/i.test(stderr)) {
    return usageError("Pulumi cannot decrypt the stack's secrets", {
      cure: "set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE, as when you deploy",
    });
  }
  return new CliError(`pulumi could not read the outputs of stack ${stack}`, {
    cure: `mend what it says; you can try it with: pulumi stack output --stack ${stack}`,
    log: { title: "what pulumi said", text: stderr },
  });
}
