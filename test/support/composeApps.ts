import { readFileSync } from "node:fs";
import path from "node:path";
import type { App } from "../../components/app";

const digest = (digit: string): string => `@sha256:${digit.repeat(64)}`;

/** The text of a compose file under `test/fixtures/compose`. */
function composeFixture(name: string): string {
  return readFileSync(path.join(__dirname, "../fixtures/compose", `${name}.yml`), "utf8");
}

/** An app around a compose file, with what differs. */
export function appWith(compose: string, differs: Partial<App> = {}): App {
  return {
    name: "shop",
    compose,
    ingress: { service: "nginx", port: 80 },
    health: { path: "/healthz" },
    images: {
      web: `registry.example.com/shop/web${digest("a")}`,
      nginx: `registry.example.com/shop/nginx${digest("b")}`,
    },
    ...differs,
  };
}

/** The apps that the compose files under `test/fixtures/compose` belong to. */
export const composeApps = {
  classic: appWith(composeFixture("classic"), {
    migrate: { service: "web", command: ["python", "manage.py", "migrate"] },
    perReleaseVolumes: ["static_volume"],
    files: { "database-ca.crt": "PEM" },
  }),
  named: appWith(composeFixture("named"), { ingress: { service: "proxy", port: 8080 } }),
  queue: appWith(composeFixture("queue"), {
    stateful: ["db", "redis"],
    workers: ["worker"],
    singletons: ["scheduler"],
    perReleaseVolumes: ["static"],
    backup: { service: "backup", command: ["pg_dump"] },
    secrets: { SQL_PASSWORD: "s3cret" },
  }),
  segmented: appWith(composeFixture("segmented"), { stateful: ["db"] }),
} as const satisfies Record<string, App>;
