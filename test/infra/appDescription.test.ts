import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { readAppDescription } from "../../infra/appDescription";

const minimal = { name: "shop", ingress: { service: "web", port: 80 }, health: { path: "/" } };
let directory = "";
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "app-test-"));
  writeFileSync(path.join(directory, "docker-compose.prod.yml"), "services: {}\n");
});
afterEach(() => rmSync(directory, { recursive: true }));

function read(inline: object, own?: string) {
  if (own !== undefined) writeFileSync(path.join(directory, "slipway.yaml"), own);
  return readAppDescription("staging", { ...inline, directory });
}
function refusal(inline: object, own?: string): string {
  try {
    read(inline, own);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("the description was to be refused");
}
const set = (key: string) =>
  `Set it with: pulumi config set --stack staging --path 'slipway:app.${key}' VALUE`;

test("the stack's keys win over those of the app's own file", () => {
  const own = JSON.stringify({ ...minimal, drainSeconds: 5, rehearse: {} });
  expect(read({ drainSeconds: 7, environment: { DEBUG: 0 } }, own)).toEqual({
    ...minimal,
    compose: "services: {}\n",
    drainSeconds: 7,
    environment: { DEBUG: "0" },
  });
});

describe("what is accepted is told in our words, however deep it stands", () => {
  test.each<[object, string, string, string]>([
    [{ name: "" }, "name", '""', "the name of the app"],
    [{ compose: 1 }, "compose", "1", "the name of a compose file in the app's directory"],
    [{ ingress: "web" }, "ingress", '"web"', "an object with service and port"],
    [{ ingress: { port: 80 } }, "ingress.service", "nothing", "the name of a service"],
    [{ ingress: { service: "web", port: "80" } }, "ingress.port", '"80"', "a port"],
    [{ health: {} }, "health.path", "nothing", "a path such as /healthz"],
    [{ health: { path: "/", host: 1 } }, "health.host", "1", "a host name"],
    [
      { health: { path: "/", timeoutSeconds: 1.5 } },
      "health.timeoutSeconds",
      "1.5",
      "a whole number of seconds",
    ],
    [{ environment: [] }, "environment", "[]", "an object of variables"],
    [{ environment: { A: null } }, "environment.A", "null", "a text, a number, true or false"],
    [{ migrate: "migrate" }, "migrate", '"migrate"', "an object with service and command"],
    [{ migrate: { service: 1, command: [] } }, "migrate.service", "1", "the name of a service"],
    [{ backup: { service: "web", command: "dump" } }, "backup.command", '"dump"', "a list of words"],
    [{ backup: { service: "web", command: [1] } }, "backup.command[0]", "1", "a word"],
    [{ stateful: "redis" }, "stateful", '"redis"', "a list of services"],
    [{ workers: [""] }, "workers[0]", '""', "the name of a service"],
    [{ singletons: [1] }, "singletons[0]", "1", "the name of a service"],
    [{ perReleaseVolumes: [1] }, "perReleaseVolumes[0]", "1", "the name of a volume"],
    [
      { strategy: "rolling" },
      "strategy",
      '"rolling"',
      "blue-green, or recreate for an app that cannot run twice",
    ],
    [{ drainSeconds: "30" }, "drainSeconds", '"30"', "a whole number of seconds"],
    [{ domains: [1] }, "domains[0]", "1", "a host name"],
    [{ limits: 5 }, "limits", "5", "an object with maxBodyMib or responseTimeoutSeconds"],
    [{ limits: { maxBodyMib: "5" } }, "limits.maxBodyMib", '"5"', "a whole number of MiB"],
    [
      { limits: { responseTimeoutSeconds: true } },
      "limits.responseTimeoutSeconds",
      "true",
      "a whole number of seconds",
    ],
  ])("%j", (wrong, key, received, accepted) => {
    const message = refusal({ ...minimal, ...wrong });
    expect(message).toContain(
      `slipway:app.${key} of stack staging: received ${received}; accepted: ${accepted}`,
    );
    expect(message).toContain(set(key));
  });
});

describe("every unknown key", () => {
  test("of the stack is told with the command that removes it", () => {
    const message = refusal({ ...minimal, healthy: 1, migrations: 2, health: { path: "/", hosts: "x" } });
    for (const key of ["healthy", "migrations", "health.hosts"]) {
      expect(message).toContain(`slipway:app.${key} of stack staging: received an unknown key; accepted: `);
      expect(message).toContain(
        `Remove it with: pulumi config rm --stack staging --path 'slipway:app.${key}'`,
      );
    }
    expect(message).not.toContain("config set");
  });

  test("of the app's own file is told with the file", () => {
    const message = refusal({}, JSON.stringify({ ...minimal, healthy: 1 }));
    expect(message).toContain(
      `healthy in ${path.join(directory, "slipway.yaml")}: received an unknown key; accepted: one of name,`,
    );
    expect(message).toContain("Take it out there");
    expect(message).not.toContain("pulumi config");
  });
});

test("a slipway.yaml that is no YAML is told with its name and line", () => {
  const message = refusal({}, "name: shop\nhealth: [\n");
  expect(message).toContain(`${path.join(directory, "slipway.yaml")}: received what is no YAML: `);
  expect(message).toContain("at line 3");
  expect(message).toContain("accepted: the keys of an app");
});
