// A pool does not carry what a migration needs (locks and settings of a session), and the app's variables point at
// the pool. So the migration gets variables of its own, and a command that puts them in place of the others.
import type { AppCommand } from "../app";
import type { PostgresVariables } from "./databaseAccess";

const prefix = "DIRECT_";
// The certificate is the same on both ways.
const isShared = (name: string): boolean => name.startsWith("PGSSL");

/** The variables of the direct connection, under names that do not collide with the app's own. */
export function directVariables(direct: PostgresVariables): PostgresVariables {
  const renamed = <T>(values: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(
      Object.entries(values)
        .filter(([name]) => !isShared(name))
        .map(([name, value]) => [prefix + name, value]),
    );
  return { plain: renamed(direct.plain), secret: renamed(direct.secret) };
}

/** The same command, run with the direct connection. Values stay in the environment: none gets into the arguments. */
export function directCommand(direct: PostgresVariables, command: AppCommand): AppCommand {
  const names = [...Object.keys(direct.plain), ...Object.keys(direct.secret)].filter(
    (name) => !isShared(name),
  );
  const exports = names.map((name) => `${name}="$${prefix}${name}"`).join(" ");
  return { ...command, command: ["sh", "-c", `export ${exports}; exec "$@"`, "sh", ...command.command] };
}
