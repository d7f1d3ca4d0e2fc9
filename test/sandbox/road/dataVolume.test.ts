import { describeSandbox } from "../support";
import { Road } from "./road";

const road = new Road({ name: "data-volume" });

describeSandbox("the data volume", () => {
  beforeAll(() => road.remove(), 60_000);
  afterAll(() => road.remove(), 60_000);

  it("keeps Docker's volumes when the droplet is replaced by another one", async () => {
    const world = (host: object) => road.world({ "slipway:host": { mediaVolumeGib: 1, ...host } });
    await world({}).setRelease(0, {});
    await world({}).up(road.watch);
    const { id } = await road.host();
    await road.onHost("docker volume create keep && echo precious >/var/lib/docker/volumes/keep/_data/file");
    await world({ monitoring: false }).up(road.watch);
    expect((await road.host()).id).not.toBe(id);
    expect(await road.onHost("cat /var/lib/docker/volumes/keep/_data/file")).toBe("precious");
    expect(await road.onHost("docker volume ls --quiet")).toBe("keep");
  }, 180_000);
});
