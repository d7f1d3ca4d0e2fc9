import * as pulumi from "@pulumi/pulumi";
import { formatProblems, refuseProblems, validateApp, type App } from "../../../components/app";
import { appWith } from "../../support/composeApps";

const paths = (differs: Partial<App>): string[] => validateApp(appWith("", differs)).map(({ path }) => path);

describe("validateApp", () => {
  it("takes an app that says only what it must", () => {
    expect(paths({})).toEqual([]);
  });

  it("takes an app that says everything", () => {
    const images = { web: "registry.example.com:5000/shop/web:1", "nginx-edge": "nginx" };
    expect(
      paths({
        images,
        health: { path: "/healthz?full=1", host: "shop.example.com", timeoutSeconds: 30 },
        environment: { DEBUG: "0", COMPOSE_PROFILES: "celery", WEB_IMAGE: images.web },
        secrets: { SECRET_KEY: "$x" },
        files: { "database-ca.crt": "PEM" },
        migrate: { service: "web", command: ["python", "manage.py", "migrate"] },
        stateful: ["db"],
        workers: ["worker"],
        singletons: ["beat"],
        perReleaseVolumes: ["static"],
        adopt: { project: "app" },
        drainSeconds: 0,
        domains: ["shop.example.com", "xn--bcher-kva.example"],
        limits: { maxBodyMib: 1, responseTimeoutSeconds: 1 },
      }),
    ).toEqual([]);
  });

  it.each<[string, Partial<App>]>([
    ["name", { name: "Shop" }],
    ["name", { name: "shop-" }],
    ["name", { name: "a".repeat(31) }],
    ["name", { name: "shop-blue" }],
    ["adopt.project", { adopt: { project: "/app" } }],
    ["adopt.project", { name: "shop", adopt: { project: "shop-blue" } }],
    ["ingress.port", { ingress: { service: "nginx", port: 0 } }],
    ["ingress.port", { ingress: { service: "nginx", port: 80.5 } }],
    ["health.path", { health: { path: "healthz" } }],
    ["health.path", { health: { path: "/a b" } }],
    ["health.host", { health: { path: "/", host: "https://shop.example.com" } }],
    ["health.timeoutSeconds", { health: { path: "/", timeoutSeconds: 0 } }],
    ["images.web", { images: { web: "registry.example.com/shop@sha256:abc" } }],
    ["images.web", { images: { web: "" } }],
    ["images.1web", { images: { "1web": "web" } }],
    ["environment.DOCKER_HOST", { environment: { DOCKER_HOST: "tcp://x" } }],
    ["environment.WEB_IMAGE", { environment: { WEB_IMAGE: "another" } }],
    ['secrets."MY-KEY"', { secrets: { "MY-KEY": "x" } }],
    ["secrets.KEY", { secrets: { KEY: "x" }, environment: { KEY: "x" } }],
    ['files."../ca"', { files: { "../ca": "x" } }],
    ["migrate.command", { migrate: { service: "web", command: [] } }],
    ["backup.command", { backup: { service: "web", command: ["sh", "-c", "a\nb"] } }],
    ["domains[0]", { domains: ["https://shop.example.com"] }],
    ["domains[0]", { domains: ["*.example.com"] }],
    ["domains[0]", { domains: ["203.0.113.7"] }],
    ["domains[1]", { domains: ["shop.example.com", "shop.example.com"] }],
    ["stateful[1]", { stateful: ["db", "db"] }],
    ["strategy", { strategy: "rolling" as "recreate" }],
    ["drainSeconds", { drainSeconds: -1 }],
    ["limits.maxBodyMib", { limits: { maxBodyMib: 0 } }],
    ["limits.responseTimeoutSeconds", { limits: { responseTimeoutSeconds: 1.5 } }],
  ])("refuses a wrong %s: %j", (path, differs) => {
    expect(paths(differs)).toEqual([path]);
  });

  it("refuses two images that would share one variable, at both", () => {
    expect(paths({ images: { "my-web": "a", my_web: "b" } })).toEqual(["images.my-web", "images.my_web"]);
  });

  it("leaves values alone that are not known yet", () => {
    const later = pulumi.output("later");
    expect(
      paths({ images: { web: later }, environment: { A: later }, secrets: { B: pulumi.secret("x") } }),
    ).toEqual([]);
    expect(paths({ environment: { "A-B": later } })).toEqual(['environment."A-B"']);
  });

  it("never shows the value of a variable", () => {
    const problems = validateApp(appWith("", { secrets: { PASSWORD: "hunter2\0" } }));
    expect(problems).toHaveLength(1);
    expect(JSON.stringify(problems)).not.toContain("hunter2");
  });
});

describe("problems", () => {
  const problem = { path: "name", received: '"X"', accepted: "lower case", cure: "rename it" };

  it("say component, path, received, accepted and cure", () => {
    expect(formatProblems('ComposeRelease "shop"', [problem])).toBe(
      'ComposeRelease "shop" was given what it cannot ship:\n  name: received "X"; accepted: lower case. Cure: rename it.',
    );
  });

  it("are thrown together, and only when there are any", () => {
    expect(() => refuseProblems("App", [])).not.toThrow();
    expect(() => refuseProblems("App", [problem, { ...problem, path: "other" }])).toThrow(
      /name: [^]*other: /,
    );
  });
});
