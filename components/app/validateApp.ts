import type { App, AppCommand } from "./app";
import { dotenvProblems } from "./dotenv";
import { imageVariable } from "./environment";
import type { Problem } from "./problem";

const hostname = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;
const reference = /^[a-z0-9][\w.:/-]*(@sha256:[0-9a-f]{64})?$/;

/** The values of a record that are here already; those of Outputs and Promises are checked when they arrive. */
function known(values: Readonly<Record<string, unknown>> | undefined): Record<string, unknown> {
  const isLater = (value: unknown): boolean => typeof value === "object" && value !== null;
  return Object.fromEntries(Object.entries(values ?? {}).filter(([, value]) => !isLater(value)));
}

function shown(value: unknown): string {
  return JSON.stringify(value) ?? "nothing";
}

/** Why a text cannot be the name of an app, or nothing. */
export function validateAppName(path: string, name: string): Problem[] {
  const wellFormed = /^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$/.test(name) && !/-(blue|green|stateful)$/.test(name);
  return wellFormed
    ? []
    : [
        {
          path,
          received: shown(name),
          accepted:
            "1 to 30 lower case letters, digits and dashes, from a letter to a letter or digit, not ending in -blue, -green or -stateful",
          cure: "rename the app",
        },
      ];
}

function numberProblem(path: string, value: number | undefined, least: number, most: number): Problem[] {
  return value === undefined || (Number.isInteger(value) && value >= least && value <= most)
    ? []
    : [
        {
          path,
          received: shown(value),
          accepted: `a whole number from ${String(least)} to ${String(most)}`,
          cure: "give such a number",
        },
      ];
}

function healthProblems({ health }: App): Problem[] {
  const problems: Problem[] = [];
  if (!/^\/[^\s#]*$/.test(health.path)) {
    problems.push({
      path: "health.path",
      received: shown(health.path),
      accepted: "the path of a URL, from its first slash on",
      cure: "write it like /healthz",
    });
  }
  if (typeof health.host === "string" && !hostname.test(health.host)) {
    problems.push({
      path: "health.host",
      received: shown(health.host),
      accepted: "a host name, without scheme and port",
      cure: "give a name that is in Django's ALLOWED_HOSTS",
    });
  }
  return [...problems, ...numberProblem("health.timeoutSeconds", health.timeoutSeconds, 1, 3600)];
}

function imageProblems({ images }: App): Problem[] {
  const names = Object.keys(images);
  const problems: Problem[] = names.flatMap((name): Problem[] => {
    const twin = names.find((other) => other !== name && imageVariable(other) === imageVariable(name));
    const clear = /^[a-zA-Z][\w-]*$/.test(name) && twin === undefined;
    return clear
      ? []
      : [
          {
            path: `images.${name}`,
            received: twin === undefined ? shown(name) : `${shown(name)} beside ${shown(twin)}`,
            accepted: `letters, digits, dashes and underscores, and one name for each variable`,
            cure: "rename the image",
          },
        ];
  });
  const wrong = Object.entries(known(images)).filter(
    ([, value]) => typeof value !== "string" || !reference.test(value),
  );
  for (const [name, value] of wrong) {
    problems.push({
      path: `images.${name}`,
      received: shown(value),
      accepted: "the name of an image, such as registry.example.com/group/app@sha256:<64 hexadecimal digits>",
      cure: "give the name under which the image was pushed",
    });
  }
  return problems;
}

function variableProblems({ environment, secrets, images }: App): Problem[] {
  const plain = known({ ...environment, ...secrets });
  const fromImages = new Map(Object.entries(images).map(([name, image]) => [imageVariable(name), image]));
  const twice = Object.keys(secrets ?? {}).filter((name) => name in (environment ?? {}));
  const taken = Object.keys(plain).filter(
    (name) => fromImages.has(name) && plain[name] !== fromImages.get(name),
  );
  return [
    ...dotenvProblems({ ...namesOnly(environment), ...known(environment) }, "environment"),
    ...dotenvProblems({ ...namesOnly(secrets), ...known(secrets) }, "secrets"),
    ...twice.map((name) => ({
      path: `secrets.${name}`,
      received: "a name that environment has too",
      accepted: "each variable in one of environment and secrets",
      cure: "take it out of environment",
    })),
    ...taken.map((name) => ({
      path: `environment.${name}`,
      received: "another value than the release's image of that name",
      accepted: "the image itself, or nothing: compose learns from it which image to run",
      cure: "take it out",
    })),
  ];
}

function namesOnly(values: Readonly<Record<string, unknown>> | undefined): Record<string, string> {
  return Object.fromEntries(Object.keys(values ?? {}).map((name) => [name, ""]));
}

function fileProblems({ files }: App): Problem[] {
  return Object.keys(files ?? {})
    .filter((name) => !/^[A-Za-z0-9][\w.-]{0,99}$/.test(name))
    .map((name) => ({
      path: `files.${shown(name)}`,
      received: shown(name),
      accepted: "the name of a file: letters, digits, dots, dashes and underscores, no directories",
      cure: "rename the file; it is mounted as /etc/slipway/<name>",
    }));
}

function commandProblems(path: string, command: AppCommand | undefined): Problem[] {
  const wrong =
    command !== undefined &&
    (command.command.length === 0 || command.command.some((word) => /[\0\n]/.test(word)));
  return wrong
    ? [
        {
          path: `${path}.command`,
          received: shown(command.command),
          accepted: "a program and its arguments, each a word without line breaks",
          cure: "write it like [python, manage.py, migrate, --noinput]",
        },
      ]
    : [];
}

function domainProblems({ domains }: App): Problem[] {
  return (domains ?? []).flatMap((domain, index): Problem[] => {
    const first = domains?.indexOf(domain) === index;
    return first && hostname.test(domain) && domain.includes(".") && !/^[\d.]+$/.test(domain)
      ? []
      : [
          {
            path: `domains[${String(index)}]`,
            received: first ? shown(domain) : `${shown(domain)} a second time`,
            accepted:
              "lower case names such as www.example.com, without scheme, port and wildcard, each once",
            cure: "write the plain name (xn--… for one with other letters); without domains the app answers at the host's address",
          },
        ];
  });
}

function adoptProblems({ name, adopt }: App): Problem[] {
  if (adopt === undefined) return [];
  const { project } = adopt;
  const own = [`${name}-blue`, `${name}-green`, `${name}-stateful`].includes(project);
  return /^[a-z0-9][a-z0-9_-]{0,62}$/.test(project) && !own
    ? []
    : [
        {
          path: "adopt.project",
          received: own ? `${shown(project)}, which is a project of Slipway's own` : shown(project),
          accepted:
            "the name of a compose project: lower case letters, digits, dashes and underscores, at most 63",
          cure: "give the name that `docker compose ls --all` shows on the host",
        },
      ];
}

function strategyProblems({ strategy }: App): Problem[] {
  const known: readonly unknown[] = [undefined, "blue-green", "recreate"];
  return known.includes(strategy)
    ? []
    : [
        {
          path: "strategy",
          received: shown(strategy),
          accepted: "blue-green, or recreate for an app that cannot run twice",
          cure: "take it out when two releases may run side by side",
        },
      ];
}

function repeated(app: App): Problem[] {
  return (["stateful", "workers", "singletons", "perReleaseVolumes"] as const).flatMap((key) =>
    (app[key] ?? []).flatMap((name, index, all): Problem[] =>
      all.indexOf(name) === index
        ? []
        : [
            {
              path: `${key}[${String(index)}]`,
              received: `${shown(name)} a second time`,
              accepted: "each name once",
              cure: "take it out",
            },
          ],
    ),
  );
}

/** Everything that is wrong with the plain parts of an app's description, but for what its compose file says. */
export function validateApp(app: App): Problem[] {
  return [
    ...validateAppName("name", app.name),
    ...numberProblem("ingress.port", app.ingress.port, 1, 65535),
    ...healthProblems(app),
    ...imageProblems(app),
    ...variableProblems(app),
    ...fileProblems(app),
    ...commandProblems("migrate", app.migrate),
    ...commandProblems("backup", app.backup),
    ...domainProblems(app),
    ...adoptProblems(app),
    ...repeated(app),
    ...strategyProblems(app),
    ...numberProblem("drainSeconds", app.drainSeconds, 0, 3600),
    ...numberProblem("limits.maxBodyMib", app.limits?.maxBodyMib, 1, 1024 * 1024),
    ...numberProblem("limits.responseTimeoutSeconds", app.limits?.responseTimeoutSeconds, 1, 24 * 3600),
  ];
}
