import type { Problem } from "./problem";

const validName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Compose reads these from the `.env` file as settings of its own: an app variable of that name would change what runs.
 * COMPOSE_PROFILES is one too, and allowed: it says which services behind a profile take part.
 */
const namesOfCompose =
  /^(COMPOSE_(?!PROFILES$)\w*|SLIPWAY_\w*|DOCKER_(API_VERSION|BUILDKIT|CERT_PATH|CONFIG|CONTENT_TRUST|CONTEXT|CUSTOM_HEADERS|DEFAULT_PLATFORM|HOST|TLS|TLS_VERIFY))$/;

const escapes: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  '"': '\\"',
  $: "\\$",
  "\n": "\\n",
  "\r": "\\r",
};

/** MAX_ARG_STRLEN of Linux, with the NUL at its end. */
const longestVariable = 128 * 1024;

/** Why a variable of this name cannot go into a `.env` file, or undefined when it can. */
function nameProblem(name: string, path: string): Problem | undefined {
  if (!validName.test(name)) {
    return {
      path: `${path}.${JSON.stringify(name)}`,
      received: "a name that a .env file cannot hold",
      accepted: "letters, digits and underscores, not starting with a digit",
      cure: "rename the variable",
    };
  }
  if (namesOfCompose.test(name)) {
    return {
      path: `${path}.${name}`,
      received: "a name that Docker, Compose or Slipway reads as a setting of its own",
      accepted:
        "names that do not start with COMPOSE_ (but for COMPOSE_PROFILES) or SLIPWAY_ and are no setting of the Docker client",
      cure: "rename the variable",
    };
  }
  return undefined;
}

/** Why this value cannot go into a `.env` file, or undefined when it can. Names the variable, never the value. */
function valueProblem(name: string, value: unknown, path: string): Problem | undefined {
  const at = `${path}.${name}`;
  if (typeof value !== "string") {
    return { path: at, received: `a ${typeof value}`, accepted: "a string", cure: "put it in quotes" };
  }
  if (value.includes("\0")) {
    return {
      path: at,
      received: "a value with a NUL character",
      accepted: "text: no environment variable can hold NUL",
      cure: "encode the value, as base64 for example, and decode it in the app",
    };
  }
  if (/\p{Surrogate}/u.test(value)) {
    return {
      path: at,
      received: "a value with half of a surrogate pair",
      accepted: "text that UTF-8 can express",
      cure: "encode the value, as base64 for example, and decode it in the app",
    };
  }
  if (Buffer.byteLength(`${name}=${value}`) >= longestVariable) {
    return {
      path: at,
      received: `a value of ${String(Buffer.byteLength(value))} bytes`,
      accepted: "less than 128 KiB together with its name: Linux starts no program with a longer variable",
      cure: "give it as one of files, which are mounted under /etc/slipway",
    };
  }
  return undefined;
}

/** Every name and value of `vars` that cannot be encoded. */
export function dotenvProblems(vars: Readonly<Record<string, unknown>>, path = "environment"): Problem[] {
  return Object.entries(vars).flatMap(
    ([name, value]) => nameProblem(name, path) ?? valueProblem(name, value, path) ?? [],
  );
}

/**
 * The text of a `.env` file that `docker compose` reads back exactly, as `env_file:` and as the source of `${VAR}`.
 * Always in double quotes: single quotes cannot hold a backslash before a quote or at the end.
 * Throws an Error that names the variables which cannot be encoded, never their values.
 */
export function encodeDotenv(vars: Readonly<Record<string, string>>): string {
  const problems = dotenvProblems(vars);
  if (problems.length > 0) {
    const reasons = problems.map(
      ({ path, received, accepted }) => `${path}: ${received}; accepted: ${accepted}`,
    );
    throw new Error(`The .env file cannot hold these variables:\n  ${reasons.join("\n  ")}`);
  }
  return Object.entries(vars)
    .map(([name, value]) => `${name}="${value.replace(/[\\"$\n\r]/g, (found) => escapes[found] ?? found)}"\n`)
    .join("");
}
