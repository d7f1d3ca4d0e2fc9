import { classicEnvironment, encodeDotenv, type App } from "../../components/app";
import { composeOverride } from "../../components/release/composeOverride";
import { composeApps } from "../support/composeApps";
import { composeConfig, hostVariables, type MergedProject } from "./compose";
import { describeSandbox } from "./support";

interface Merged {
  readonly colour: MergedProject;
  readonly stateful?: MergedProject;
}

async function merge(app: App, images = app.images as Record<string, string>): Promise<Merged> {
  const { override, stateful, problems } = composeOverride(app);
  expect(problems).toEqual([]);
  const plain = app.secrets as Record<string, string> | undefined;
  const files = {
    "compose.yml": app.compose,
    "override.yml": override,
    ".env": encodeDotenv({ ...classicEnvironment({ images }), ...plain }),
    ...(stateful !== undefined && { "stateful.yml": stateful }),
  };
  return {
    colour: await composeConfig(files, ["compose.yml", "override.yml"]),
    ...(stateful !== undefined && { stateful: await composeConfig(files, ["compose.yml", "stateful.yml"]) }),
  };
}

const published = (project: MergedProject): string[] =>
  Object.entries(project.services).flatMap(([name, { ports }]) =>
    (ports ?? []).map(
      (port) => `${name} ${port.host_ip ?? "*"}:${port.published ?? "?"}->${String(port.target)}`,
    ),
  );

const volumeNames = (project: MergedProject): Record<string, string> =>
  Object.fromEntries(Object.entries(project.volumes ?? {}).map(([key, { name }]) => [key, name]));

describeSandbox("what docker compose makes of a release", () => {
  jest.setTimeout(300_000);

  it.each(Object.entries(composeApps))("%s: two of them can run side by side", async (_, app) => {
    const { colour, stateful } = await merge(app);
    for (const project of [colour, ...(stateful === undefined ? [] : [stateful])]) {
      for (const service of Object.values(project.services)) {
        expect(service).not.toHaveProperty("container_name");
        expect(service).not.toHaveProperty("build");
        expect(service).not.toHaveProperty("pull_policy");
        expect(Object.keys(project.services)).toEqual(
          expect.arrayContaining(Object.keys(service.depends_on ?? {})),
        );
      }
      expect(Object.values(project.volumes ?? {}).every(({ external }) => external)).toBe(true);
    }
    expect(published(colour)).toEqual([
      `${app.ingress.service} 127.0.0.1:18000->${String(app.ingress.port)}`,
    ]);
    expect(published(stateful ?? { services: {} })).toEqual([]);
  });

  it("the classic file keeps its volumes, but for the static one of each release", async () => {
    const { colour, stateful } = await merge(composeApps.classic);
    expect(stateful).toBeUndefined();
    expect(volumeNames(colour)).toEqual({
      media_volume: "shop_media_volume",
      static_volume: `shop_static_volume_${hostVariables.SLIPWAY_REVISION}`,
    });
    expect(colour.networks).toEqual({
      default: expect.objectContaining({ name: "shop-blue_default" }) as unknown,
    });
    expect(colour.services.web).toMatchObject({
      image: composeApps.classic.images.web,
      restart: "unless-stopped",
      environment: { DEBUG: "0", CI_JOB_TOKEN: "", SLIPWAY_RELEASE: "7" },
    });
    expect(colour.services.web?.volumes).toContainEqual(
      expect.objectContaining({
        type: "bind",
        source: `${hostVariables.SLIPWAY_APP_DIR}/files/database-ca.crt`,
        target: "/etc/slipway/database-ca.crt",
        read_only: true,
      }),
    );
  });

  it("containers are still found by the fixed names they had, and read the one .env there is", async () => {
    const { colour } = await merge(composeApps.named);
    expect(colour.services.django?.networks).toEqual({ backend: { aliases: ["api", "shop_django"] } });
    expect(colour.services.mail?.networks).toEqual({ backend: { aliases: ["shop_mail"] } });
    expect(colour.services.proxy?.networks).toEqual({ backend: null, monitoring: null });
    expect(colour.services.django).toMatchObject({ links: ["mail:smtp"], restart: "always" });
    expect(colour.services.mail).not.toHaveProperty("restart");
    expect(colour.services.django?.environment).toMatchObject({
      SQL_ENGINE: "django.db.backends.postgresql",
    });
    expect(volumeNames(colour)).toEqual({ uploads: "shop-uploads" });
    expect(colour.networks?.monitoring).toMatchObject({ external: true, name: "monitoring" });
  });

  it("a database and a broker of the file are in a project of their own, on the networks of both colours", async () => {
    const { colour, stateful } = await merge(composeApps.queue);
    expect(Object.keys(colour.services).sort()).toEqual(["assets", "nginx", "scheduler", "web", "worker"]);
    expect(Object.keys(stateful?.services ?? {}).sort()).toEqual(["db", "redis"]);
    expect(colour.networks).toEqual({
      default: expect.objectContaining({ external: true, name: "shop-net-blue" }) as unknown,
    });
    expect(stateful?.networks).toEqual({
      "slipway-blue": expect.objectContaining({ external: true, name: "shop-net-blue" }) as unknown,
      "slipway-green": expect.objectContaining({ external: true, name: "shop-net-green" }) as unknown,
    });
    expect(stateful?.services.db?.networks).toEqual({
      "slipway-blue": { aliases: ["shop_db"] },
      "slipway-green": { aliases: ["shop_db"] },
    });
    expect(stateful?.services.redis?.networks).toEqual({
      "slipway-blue": { aliases: ["broker"] },
      "slipway-green": { aliases: ["broker"] },
    });
    expect(volumeNames(stateful ?? { services: {} })).toEqual({
      pgdata: "shop_pgdata",
      redis_data: "shop_redis_data",
    });
    expect(stateful?.services.db?.environment).toMatchObject({
      POSTGRES_PASSWORD: "s3cret",
      POSTGRES_DB: "shop",
    });
  });

  it("only what a service waits for within its release stays, so starting web does not start the scheduler", async () => {
    const { colour } = await merge(composeApps.queue);
    const needs = Object.fromEntries(
      Object.entries(colour.services).map(([name, service]) => [name, Object.keys(service.depends_on ?? {})]),
    );
    expect(needs).toEqual({ web: ["assets"], assets: [], worker: ["web"], scheduler: [], nginx: ["web"] });
    expect(colour.services.worker?.links).toEqual(["web"]);
    expect(colour.services.scheduler).not.toHaveProperty("links");
    // It ends by itself: restarted for ever it would hold up the web service.
    expect(colour.services.assets).not.toHaveProperty("restart");
    expect(colour.services.worker).toMatchObject({ restart: "unless-stopped" });
  });

  it("a release with other images changes nothing in the stateful project, so it is not restarted", async () => {
    const first = await merge(composeApps.queue);
    const other = `@sha256:${"c".repeat(64)}`;
    const second = await merge(composeApps.queue, {
      web: `registry.example.com/shop/web${other}`,
      nginx: `registry.example.com/shop/nginx${other}`,
    });
    expect(second.colour.services).not.toEqual(first.colour.services);
    expect(second.stateful?.services).toEqual(first.stateful?.services);
  });

  it("services on networks of their own reach the database through the colour's", async () => {
    const { colour, stateful } = await merge(composeApps.segmented);
    expect(colour.services.web?.networks).toEqual({ data: null, default: null, front: null });
    expect(colour.services.nginx?.networks).toEqual({ front: null });
    expect(stateful?.services.db?.networks).toEqual({
      "slipway-blue": { aliases: ["database"] },
      "slipway-green": { aliases: ["database"] },
    });
    expect(volumeNames(stateful ?? { services: {} })).toEqual({ pgdata: "precious" });
    expect(stateful?.services.db).toMatchObject({ image: "postgres:16", restart: "always" });
  });
});
