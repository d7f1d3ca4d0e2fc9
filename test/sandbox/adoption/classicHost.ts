// A server that Slipway did not make: root logs in with a key, Docker came from the distribution, and the classic
// scripts put the app into /app. Its database is somewhere else, as a managed one is.
import { startLoad, type RunningLoad } from "../../../cli/rehearse/load/load";
import type { Variant } from "../../../cli/rehearse/world";
import { createDroplet, waitForBoot } from "../../../cli/sandbox/bodies/droplet";
import { createCluster } from "../../../cli/sandbox/bodies/postgres";
import type { Sandbox } from "../../../cli/sandbox/bodies/sandbox";
import { openSandbox } from "../../../cli/sandbox/local";
import { keyPair } from "../../support/keyPair";
import { runClassicScripts } from "../road/classicScripts";
import { fixtureApp, Road } from "../road/road";

export type Config = Readonly<Record<string, unknown>>;

/** What the load client counts the classic deployment as. */
export const classic = 0;

export class ClassicHost {
  readonly road = new Road({ name: "adoption", app: fixtureApp("classic") });
  /** The stack's configuration: this server, its database, and that it is adopted. */
  config: Config = {};
  private readonly sandbox: Sandbox;

  constructor() {
    const stack = { stack: this.road.stack, sandboxDirectory: this.road.directory };
    this.sandbox = openSandbox(stack, () => undefined);
  }

  async make(): Promise<void> {
    const world = this.road.world();
    await world.prepare(this.road.watch);
    const login = keyPair();
    const [images, database, droplet] = await Promise.all([
      this.buildImages(),
      createCluster(this.sandbox, { name: "elsewhere", version: "17", size: "db-s-1vcpu-1gb" }),
      this.makeServer(login.public),
    ]);
    const variables = {
      SQL_DATABASE: database.database,
      SQL_USER: database.user,
      SQL_PASSWORD: database.password,
      SQL_HOST: database.host,
      SQL_PORT: String(database.port),
    };
    const address = droplet.ipv4Address;
    await runClassicScripts(this.sandbox, {
      ...{ address, user: "root", privateKey: login.private, path: "/app", release: classic, variables },
      ...{ app: this.road.description.directory, images: images["release-1"] ?? {} },
    });
    await this.road.onHost("docker exec app-web-1 python manage.py migrate --noinput");
    this.road.store.update({ target: { url: `http://${address}` }, images });
    const { SQL_PASSWORD, ...plain } = variables;
    this.config = {
      "slipway:host": {
        ...{ size: null, monitoring: null, backups: null, protect: null },
        existing: {
          ...{ address, user: "root", hostKey: droplet.hostKey, privateKey: { secret: login.private } },
        },
      },
      "slipway:database": null,
      "slipway:environment": { ...plain, PGSSLMODE: "require" },
      "slipway:secrets": { SQL_PASSWORD: { secret: SQL_PASSWORD } },
      "slipway:app": { adopt: { project: "app" } },
    };
  }

  /** The load of the rehearsal, told which releases it is to meet. */
  load(from: number, to: number, expected: "serves" | "refused" = "serves"): Promise<RunningLoad> {
    const { target } = this.road.store.progress;
    if (!target) throw new Error("the server has to be made first");
    const { get, slow, upload } = this.road.description.requests;
    return startLoad({
      ...{ target, pages: get, slow, upload, from, to, expected },
      ...{ requestsPerSecond: 100, settleSeconds: 1 },
    });
  }

  private async buildImages() {
    const world = this.road.world();
    const images: Partial<Record<Variant, Readonly<Record<string, string>>>> = {};
    for (const variant of ["release-1", "release-2", "broken"] as const) {
      await world.build(variant, this.road.watch);
      images[variant] = await world.push(variant);
    }
    return images;
  }

  private async makeServer(publicKey: string): Promise<{ ipv4Address: string; hostKey: string }> {
    const host = keyPair();
    const userData = {
      disable_root: false,
      users: [{ name: "root", ssh_authorized_keys: [publicKey] }],
      ssh_deletekeys: true,
      ssh_keys: { ed25519_private: host.private, ed25519_public: host.public },
      runcmd: [["systemctl", "enable", "--now", "docker"]],
    };
    const droplet = await createDroplet(this.sandbox, {
      ...{ name: "classic", size: "s-1vcpu-2gb", region: "fra1", image: "debian-13-x64" },
      userData: `#cloud-config\n${JSON.stringify(userData)}`,
    });
    await waitForBoot(this.sandbox, droplet.id);
    return { ipv4Address: droplet.ipv4Address, hostKey: host.public };
  }
}
