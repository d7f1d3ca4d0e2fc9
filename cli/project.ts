import { existsSync, readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { usageError } from "./errors";

/** The directory of the Pulumi project that `from` is in: the nearest one upwards that holds a Pulumi.yaml. */
export function findProject(from: string): string {
  for (let directory = path.resolve(from); ; directory = path.dirname(directory)) {
    if (existsSync(path.join(directory, "Pulumi.yaml"))) return directory;
    if (path.dirname(directory) === directory) {
      throw usageError("there is no Pulumi project here", {
        received: path.resolve(from),
        accepted: "a directory with a Pulumi.yaml, or one below it",
        cure: "change to the directory of your infra project and run this again",
      });
    }
  }
}

/** Path of the stack's config file. @throws naming the stacks that there are when there is none of this name. */
export function stackConfigPath(project: string, stack: string): string {
  const file = path.join(project, `Pulumi.${stack}.yaml`);
  if (existsSync(file)) return file;
  const stacks = readdirSync(project).flatMap((name) => /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1] ?? []);
  throw usageError(`there is no stack "${stack}"`, {
    received: `--stack ${stack}`,
    accepted: stacks.length > 0 ? stacks.join(", ") : "a stack that has a Pulumi.<stack>.yaml",
    cure: `name one of these, or write Pulumi.${stack}.yaml`,
  });
}

/** One key of the stack's config in the clear, such as `slipway:releasesFile`. */
export function stackConfigValue(project: string, stack: string, key: string): unknown {
  const file = stackConfigPath(project, stack);
  const content = parse(readFileSync(file, "utf8")) as { config?: Record<string, unknown> } | null;
  return content?.config?.[key];
}

/** Path of the file that says what the stack shall run. */
export function releasesFilePath(project: string, stack: string): string {
  const configured = stackConfigValue(project, stack, "slipway:releasesFile");
  return path.resolve(project, typeof configured === "string" ? configured : `releases/${stack}.yaml`);
}
