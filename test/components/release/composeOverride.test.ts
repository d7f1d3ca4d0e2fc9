import type { App } from "../../../components/app";
import { composeOverride, unpinnedImages } from "../../../components/release/composeOverride";
import { appWith, composeApps } from "../../support/composeApps";

// What compose makes of these texts is shown with the real compose, in test/sandbox/composeOverride.test.ts.
describe("composeOverride", () => {
  it("renders the override of the classic file", () => {
    expect(composeOverride(composeApps.classic).override).toBe(`services:
  web:
    image: \${WEB_IMAGE}
    build: !reset null
    restart: unless-stopped
    environment:
      SLIPWAY_RELEASE: \${SLIPWAY_RELEASE}
    volumes:
      - type: bind
        source: \${SLIPWAY_APP_DIR}/files/database-ca.crt
        target: /etc/slipway/database-ca.crt
        read_only: true
  nginx:
    image: \${NGINX_IMAGE}
    restart: unless-stopped
    ports: !override
      - 127.0.0.1:\${SLIPWAY_INGRESS_PORT}:80
    environment:
      SLIPWAY_RELEASE: \${SLIPWAY_RELEASE}
    volumes:
      - type: bind
        source: \${SLIPWAY_APP_DIR}/files/database-ca.crt
        target: /etc/slipway/database-ca.crt
        read_only: true
volumes:
  static_volume: !override
    external: true
    name: \${SLIPWAY_APP}_static_volume_\${SLIPWAY_REVISION}
  media_volume: !override
    external: true
    name: \${SLIPWAY_APP}_media_volume
x-slipway:
  volumes:
    - key: static_volume
      name: \${SLIPWAY_APP}_static_volume_\${SLIPWAY_REVISION}
      perRelease: true
      external: false
    - key: media_volume
      name: \${SLIPWAY_APP}_media_volume
      perRelease: false
      external: false
`);
  });

  it("calls what is kept after the project that is adopted, and what goes with a release after the app", () => {
    const adopted = composeOverride({ ...composeApps.classic, adopt: { project: "app" } });
    expect(adopted.volumes.map(({ name }) => name)).toEqual([
      "${SLIPWAY_APP}_static_volume_${SLIPWAY_REVISION}",
      "app_media_volume",
    ]);
  });

  it("sorts services behind profiles by what the description says of them", () => {
    expect(composeOverride(composeApps.queue).roles).toEqual({
      colour: ["web", "assets", "worker", "scheduler", "nginx"],
      stateful: ["db", "redis"],
      commands: ["backup"],
      leftOut: ["flower"],
    });
  });

  it("lets COMPOSE_PROFILES turn profiles on, as the classic .env does", () => {
    const app = { ...composeApps.queue, environment: { COMPOSE_PROFILES: "celery, tools" } };
    expect(composeOverride(app).roles).toMatchObject({
      colour: ["web", "assets", "worker", "scheduler", "nginx", "flower", "backup"],
      leftOut: [],
    });
  });

  it("says what the volumes of its own services were, so that they can be made as the file wants them", () => {
    const compose = `${minimal}    volumes: ["nfs:/media", "old:/old", "new:/new"]
  shell: { image: x, profiles: [debug], volumes: ["history:/root"] }
volumes:
  history:
  nfs: { driver: local, driver_opts: { type: nfs, o: "addr=10.0.0.1,rw", device: ":/media" } }
  old: { external: { name: precious } }
  new: { external: true }
`;
    expect(composeOverride(appWith(compose)).volumes).toEqual([
      {
        key: "nfs",
        name: "${SLIPWAY_APP}_nfs",
        perRelease: false,
        external: false,
        driver: "local",
        driverOpts: { type: "nfs", o: "addr=10.0.0.1,rw", device: ":/media" },
      },
      { key: "old", name: "precious", perRelease: false, external: true },
      { key: "new", name: "new", perRelease: false, external: true },
    ]);
  });

  it("keeps env files of the host, and replaces those of the repository by the release's .env", () => {
    const { override } = composeOverride(
      appWith(`${minimal}    env_file: [".env.prod", "/etc/shop/extra.env"]\n`),
    );
    expect(override).toContain("    env_file: !override\n      - .env\n      - /etc/shop/extra.env\n");
  });

  it("keeps what an env file of the host says besides its path, and asks for none of the repository", () => {
    const { override } = composeOverride(
      appWith(
        `${minimal}    env_file:\n      - {path: .env.local, required: false}\n      - {path: /etc/shop.env, required: false}\n`,
      ),
    );
    expect(override).toContain(
      "    env_file: !override\n      - .env\n      - path: /etc/shop.env\n        required: false\n",
    );
    expect(override).not.toContain(".env.local");
  });

  it("lets nothing that a release has stopped come back at a reboot", () => {
    const worker = (policy: string): string =>
      composeOverride(
        appWith(`${minimal}  jobs: {image: x, ${policy}}\n`, { workers: ["jobs"] }),
      ).override.split("  jobs:")[1] ?? "";
    expect(worker("restart: always")).toContain("restart: unless-stopped");
    expect(worker("restart: on-failure")).not.toContain("restart:");
    const byPolicy = worker("deploy: {restart_policy: {condition: any}}");
    expect(byPolicy).toContain("restart: unless-stopped");
    expect(byPolicy).toContain("restart_policy: !reset null");
    const web = `${minimal}    restart: always\n`;
    expect(composeOverride(appWith(web)).override).not.toContain("restart: unless-stopped");
    expect(composeOverride(appWith(web, { strategy: "recreate" })).override).toContain(
      "restart: unless-stopped",
    );
  });

  it("refuses images of others that may be another one tomorrow, where digests are asked for", () => {
    const app = { ...composeApps.queue, stateful: ["db", "redis"] };
    expect(unpinnedImages(app).map(({ path, received }) => `${path} ${received}`)).toEqual([
      'compose: services.backup.image "postgres:16"',
      'compose: services.db.image "postgres:16"',
      'compose: services.redis.image "redis:7"',
    ]);
    expect(unpinnedImages(app)[2]?.cure).toBe(
      "name it in the release: slipway release set redis=redis@sha256:… (docker buildx imagetools inspect redis:7 prints the digest)",
    );
    const pinned = { ...app, images: { ...app.images, db: "postgres", redis: "redis", backup: "postgres" } };
    expect(unpinnedImages(pinned)).toEqual([]);
  });

  it("says which database any variable would restart", () => {
    expect(composeOverride(composeApps.queue).notes).toContainEqual(
      expect.stringMatching(/^services\.db reads \.env: a change of any variable restarts it/),
    );
  });

  it("notes what somebody may miss", () => {
    const { notes } = composeOverride({ ...composeApps.named, ingress: { service: "proxy", port: 80 } });
    expect(notes.map((note) => note.slice(0, 60))).toEqual([
      "services.django publishes 8000, 5678: a release publishes on",
      "services.django reads ./.env.prod: here it reads the release",
      "services.proxy publishes 8080, 8443, 8404: a release publish",
      "services.proxy mounts /var/log/shop of the host: kept as it ",
      "ingress.port is 80, and services.proxy publishes 8080, 8443,",
    ]);
    const compose = `${minimal}    command: echo $$HOME $A \${B} \${C:-c}\n  dev: { image: x, profiles: [dev] }\n`;
    expect(composeOverride(appWith(compose, { environment: { A: "1" } })).notes).toEqual([
      "the compose file uses B, which nothing sets: compose leaves them empty.",
      expect.stringMatching(/^dev stand behind a profile/),
    ]);
    expect(composeOverride(composeApps.classic).notes).toEqual([]);
  });

  it("tells services that end by themselves from those that stay", () => {
    expect(composeOverride(composeApps.queue).runOnce).toEqual(["assets"]);
  });

  it("does not depend on values that are known later", () => {
    const never = new Promise<string>(() => undefined);
    const { override, problems } = composeOverride({
      ...composeApps.classic,
      images: { web: never, nginx: never },
    });
    expect(problems).toEqual([]);
    expect(override).toBe(composeOverride(composeApps.classic).override);
  });
});

const minimal = `services:
  nginx:
    image: nginx
`;

const problemsOf = (compose: string, differs: Partial<App> = {}) =>
  composeOverride(appWith(compose, differs)).problems;

describe("what composeOverride refuses", () => {
  it("a service that is not there, with those that are", () => {
    const [problem, ...more] = problemsOf(minimal, { ingress: { service: "ngnix", port: 80 } });
    expect(more).toEqual([]);
    expect(problem).toEqual({
      path: "ingress.service",
      received: '"ngnix"',
      accepted: "a service of the compose file: nginx",
      cure: "name a service that is there",
    });
  });

  it.each<[string, Partial<App>]>([
    ["migrate.service", { migrate: { service: "web", command: ["x"] } }],
    ["backup.service", { backup: { service: "web", command: ["x"] } }],
    ["stateful[0]", { stateful: ["db"] }],
    ["workers[0]", { workers: ["celery"] }],
    ["singletons[1]", { singletons: ["nginx", "beat"] }],
    ["perReleaseVolumes[0]", { perReleaseVolumes: ["static"] }],
    ["stateful", { stateful: ["nginx"] }],
  ])("a wrong %s", (path, differs) => {
    expect(problemsOf(minimal, differs).map((problem) => problem.path)).toContain(path);
  });

  const nginx = "compose: services.nginx";
  it.each<[string, string, string]>([
    ["the host's network", `${nginx}.network_mode`, "network_mode: host"],
    ["another container's network", `${nginx}.network_mode`, 'network_mode: "container:vpn"'],
    [
      "a fixed address",
      `${nginx}.networks.default.ipv4_address`,
      "networks: { default: { ipv4_address: 172.20.0.5 } }",
    ],
    ["a fixed hardware address", `${nginx}.mac_address`, "mac_address: 02:42:ac:11:00:01"],
    ["a network that is not declared", `${nginx}.networks.front`, "networks: [front]"],
    ["a service of another file", `${nginx}.extends`, "extends: { file: common.yml, service: base }"],
    ["a path of the repository", `${nginx}.volumes`, 'volumes: ["./nginx.conf:/etc/nginx/nginx.conf:ro"]'],
    [
      "a long bind of the repository",
      `${nginx}.volumes`,
      "volumes: [{ type: bind, source: conf, target: /etc/nginx }]",
    ],
    ["a path of somebody's home", `${nginx}.volumes`, 'volumes: ["~/conf:/etc/nginx"]'],
    ["a path that may be relative", `${nginx}.volumes`, 'volumes: ["${DATA:-./data}:/data"]'],
    ["a volume that is not declared", `${nginx}.volumes`, 'volumes: ["static:/static"]'],
    ["another service's volumes", `${nginx}.volumes_from`, "volumes_from: [web]"],
    ["several copies of the ingress", `${nginx}.deploy.replicas`, "deploy: { replicas: 2 }"],
    ["several copies of the ingress by scale", `${nginx}.scale`, "scale: 2"],
  ])("%s", (_, path, line) => {
    expect(problemsOf(`${minimal}    ${line}\n`).map((problem) => problem.path)).toEqual([path]);
  });

  it.each<[string, string]>([
    ["a fixed name", "name: shop"],
    ["fixed addresses", "ipam: { config: [{ subnet: 172.20.0.0/16 }] }"],
    ["a driver for the whole machine", "driver: macvlan"],
  ])("a network with %s", (_, setting) => {
    const problems = problemsOf(`${minimal}    networks: [front]\nnetworks:\n  front: { ${setting} }\n`);
    expect(problems.map((problem) => problem.path)).toEqual([
      `compose: networks.front.${setting.replace(/^ipam.*/, "ipam.config").replace(/:.*/, "")}`,
    ]);
  });

  it("services that would find each other's other release in an external network", () => {
    const compose = `${minimal}  web:\n    image: web\nnetworks:\n  default: { external: true, name: shared }\n`;
    expect(problemsOf(compose).map((problem) => problem.path)).toEqual([
      "compose: networks.default.external",
    ]);
  });

  it("a build without an image, unless the release names its image", () => {
    const compose = `${minimal}  api:\n    build: ./api\n`;
    const [problem] = problemsOf(compose);
    expect(problem).toMatchObject({
      path: "compose: services.api.build",
      cure: "write image: ${API_IMAGE} beside it, or name api in images",
    });
    expect(problemsOf(compose, { images: { api: "registry.example.com/api" } })).toEqual([]);
  });

  it("an image and a required variable that nothing sets", () => {
    const api = `${minimal}  api:\n    image: \${API_IMAGE}\n    command: run \${TOKEN:?no token}\n`;
    expect(problemsOf(api)).toMatchObject([
      { path: "compose: services.api.image", cure: "name the image api in images" },
      { path: "compose: services.api", cure: "set TOKEN in environment or secrets" },
    ]);
    expect(problemsOf(api, { images: { api: "api" }, secrets: { TOKEN: "x" } })).toEqual([]);
    expect(problemsOf(`${minimal}  api:\n    image: \${API_IMAGE:-api:1}\n`)).toEqual([]);
  });

  it("a database that two releases would run on one volume, until it is called stateful", () => {
    const compose = `${minimal}  db:\n    image: postgis/postgis:16-3.4\n    volumes: ["data:/var/lib/postgresql/data"]\nvolumes:\n  data:\n`;
    expect(problemsOf(compose)).toMatchObject([{ path: "stateful", cure: "add db to stateful" }]);
    expect(problemsOf(compose, { stateful: ["db"] })).toEqual([]);
    expect(problemsOf(compose, { stateful: ["db"], perReleaseVolumes: ["data"] })).toMatchObject([
      { path: "perReleaseVolumes[0]", received: "data, which holds the data of db" },
    ]);
  });

  it("a broker behind a profile that a worker needs and nobody named", () => {
    const compose = `${minimal}  worker:\n    image: web\n    profiles: [celery]\n    depends_on: [redis]\n  redis:\n    image: redis\n    profiles: [celery]\n`;
    expect(problemsOf(compose)).toEqual([]);
    expect(problemsOf(compose, { workers: ["worker"] })).toMatchObject([
      { path: "compose: services.worker.depends_on.redis" },
    ]);
    expect(problemsOf(compose, { workers: ["worker"], stateful: ["redis"] })).toEqual([]);
  });

  it("secrets and configs from files of the repository, and takes those of the host", () => {
    const compose = (file: string): string =>
      `${minimal}    secrets: [key]\n    configs: [{ source: conf, target: /conf }]\nsecrets:\n  key: { file: ${file} }\nconfigs:\n  conf: { file: ${file} }\n`;
    expect(problemsOf(compose("./key")).map((problem) => problem.path)).toEqual([
      "compose: secrets.key.file",
      "compose: configs.conf.file",
    ]);
    expect(problemsOf(compose("/etc/shop/key"))).toEqual([]);
  });

  it("include, an empty file, and what is not YAML, with the line", () => {
    expect(problemsOf(`include: [other.yml]\n${minimal}`)).toMatchObject([{ path: "compose: include" }]);
    expect(problemsOf("")).toMatchObject([{ path: "compose: services", received: "an empty file" }]);
    expect(problemsOf("services: {}")).toMatchObject([{ received: "a file without services" }]);
    expect(problemsOf("services:\n  a: [\n")).toMatchObject([{ path: "compose: line 3" }]);
    expect(problemsOf("services:\n  a: {image: x}\n  a: {image: y}\n")).toMatchObject([
      { path: "compose: line 3" },
    ]);
  });

  it("nothing about services that take no part", () => {
    const compose = `${minimal}  dev:\n    build: .\n    profiles: [dev]\n    network_mode: host\n    volumes: [".:/app"]\n`;
    expect(problemsOf(compose)).toEqual([]);
  });
});
