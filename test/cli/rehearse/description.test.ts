import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { describeError } from "../../../cli/errors";
import { readDescription } from "../../../cli/rehearse/description";

let directory: string;
beforeEach(() => (directory = mkdtempSync(path.join(tmpdir(), "slipway-app-"))));
afterEach(() => rmSync(directory, { recursive: true }));

function write(name: string, text: string): void {
  const file = path.join(directory, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return describeError(error);
  }
  throw new Error("nothing was refused");
}

const app =
  "compose: docker-compose.prod.yml\ningress: {service: nginx, port: 80}\nhealth: {path: /healthz}\n";

describe("an app's description", () => {
  it("of the example is complete", () => {
    const example = path.join(__dirname, "../../../examples/django-docker");
    const { build, requests, djangoImage } = readDescription(example);
    expect(Object.keys(build)).toEqual(["web", "nginx"]);
    expect(djangoImage).toBe("web");
    expect(requests).toMatchObject({ guessed: false, slow: expect.any(String) as string });
    expect(requests.upload?.field).toBe("file");
  });

  it("needs no rehearse section: then the health path and / are asked for", () => {
    write("slipway.yaml", `${app}build: {web: {context: app}}`);
    write("app/Dockerfile", "FROM python\n");
    expect(readDescription(directory).requests).toEqual({
      get: [{ path: "/healthz" }, { path: "/" }],
      static: [],
      guessed: true,
    });
  });

  it("finds the images of others in the compose file, but not those of services without a part in a release", () => {
    const text = `${app}build: {web: {context: app}}\nstateful: [db, queue]\nstrategy: recreate\n`;
    write("slipway.yaml", `${text}rehearse: {config: {database: null}}\n`);
    write("app/Dockerfile", "FROM python\n");
    write(
      "docker-compose.prod.yml",
      "services:\n  web: {image: '${WEB_IMAGE:-web}'}\n  job: {image: '${WEB_IMAGE:-web}'}\n  nginx: {image: 'nginx:1'}\n" +
        "  db: {image: '${DB_IMAGE:-postgres:16}'}\n  queue: {image: 'redis:7', profiles: [x]}\n  mail: {image: mailhog, profiles: [dev]}\n",
    );
    expect(readDescription(directory)).toMatchObject({
      outside: { nginx: "nginx:1", db: "postgres:16", queue: "redis:7" },
      stateful: ["db", "queue"],
      recreate: true,
      config: { database: null },
    });
  });

  it("takes the builds of the classic docker-compose.ci.yml when it has none of its own", () => {
    write("slipway.yaml", app);
    write("app/Dockerfile.prod", "FROM python\n");
    write("nginx/Dockerfile", "FROM nginx\n");
    write(
      "docker-compose.ci.yml",
      "services:\n  web: {build: {context: ./app, dockerfile: Dockerfile.prod}}\n  nginx: {build: ./nginx}\n  db: {image: postgres}\n",
    );
    const { build, djangoImage } = readDescription(directory);
    expect(build).toEqual({
      web: { context: path.join(directory, "app"), dockerfile: path.join(directory, "app/Dockerfile.prod") },
      nginx: { context: path.join(directory, "nginx"), dockerfile: path.join(directory, "nginx/Dockerfile") },
    });
    expect(djangoImage).toBe("web");
  });

  it("breaks the image that migrates, not the one that users reach first", () => {
    write("slipway.yaml", `${app}migrate: {service: backend, command: [x]}\nbuild: {nginx: {}, backend: {}}`);
    write("Dockerfile", "FROM python\n");
    expect(readDescription(directory).djangoImage).toBe("backend");
  });

  it("lets the keys of the stack win", () => {
    write("slipway.yaml", `${app}build: {web: {}}`);
    write("Dockerfile", "FROM python\n");
    expect(readDescription(directory, { health: { path: "/up" } }).healthPath).toBe("/up");
  });

  it("names the key that is wrong", () => {
    write("slipway.yaml", `${app}build: {web: {}}\nrehearse: {get: [/, about]}`);
    expect(refusal(() => readDescription(directory))).toMatch(
      /rehearse\.get\.1: [\s\S]*slipway\.yaml[\s\S]*cure: /,
    );
  });

  it("names the Dockerfile that is missing, and a missing build section", () => {
    write("slipway.yaml", `${app}build: {web: {context: app}}`);
    expect(refusal(() => readDescription(directory))).toMatch(
      /Dockerfile of the image "web" is missing\n.*app\/Dockerfile\n/,
    );
    write("slipway.yaml", app);
    expect(refusal(() => readDescription(directory))).toMatch(
      /how the app's images are built[\s\S]*add a "build" section/,
    );
  });
});
