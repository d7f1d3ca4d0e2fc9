// A droplet is replaced by another one behind a reserved address, under load. In the sandbox the address behaves as at
// DigitalOcean: it moves at once, and a connection that is open then is cut. Not proven here: how long DigitalOcean takes
// to make a droplet, to move a volume and to move an address.
import { lostFiles } from "../../../cli/rehearse/keptFiles";
import { startLoad, type RunningLoad } from "../../../cli/rehearse/load/load";
import type { LoadTarget } from "../../../cli/rehearse/load/plan";
import { makeAgent, request } from "../../../cli/rehearse/load/request";
import { describeSandbox } from "../support";
import { HostStack, type Run } from "./hostStack";

const minutes = 60_000;
const stack = new HostStack("replacement", {
  "slipway:host": { reservedIp: true, protect: false },
  "slipway:app": { domains: ["notes.example.test"] },
  "slipway:dns": { zone: "example.test" },
});
let load: RunningLoad | undefined;

const droplet = async () => {
  const [only, ...others] = await stack.droplets();
  if (only === undefined || others.length > 0) throw new Error(`${others.length + 1} droplets, expected one`);
  return only;
};

function target(): LoadTarget {
  const known = stack.road.store.progress.target;
  if (!known) throw new Error("nothing was provisioned");
  return known;
}

async function begin(): Promise<RunningLoad> {
  const { get, slow, upload } = stack.road.description.requests;
  const releases = { from: 1, to: 2, expected: "serves" } as const;
  return startLoad({ target: target(), pages: get, slow, upload, requestsPerSecond: 60, ...releases });
}

/** Each of these was through before the next one was. */
function inOrder({ events }: Run, wanted: readonly string[]): void {
  const done = events.flatMap((event) =>
    event.kind === "resource" ? [`${event.action} ${event.name}`] : [],
  );
  expect(
    done.filter((each) => wanted.includes(each)).filter((each, index, all) => all.indexOf(each) === index),
  ).toEqual(wanted);
}

const certificates = () =>
  stack.road.onHost("cd /var/lib/caddy/.local/share/caddy && find . -name '*.crt' | xargs sha256sum");

describeSandbox("a droplet behind a reserved address", () => {
  beforeAll(async () => {
    await stack.remove();
    await stack.begin(["release-1"]);
  }, 10 * minutes);
  afterEach(() => load?.kill());
  afterAll(() => stack.remove(), 2 * minutes);

  it(
    "is replaced with no failed request: the new one is released first, then the address moves, then the old one goes",
    async () => {
      const before = await droplet();
      const issued = await certificates();
      load = await begin();
      const run = await stack.up({ "slipway:host": { generation: 2, size: "s-2vcpu-4gb" } });
      const report = await load.finish({ minRequests: 500, withinSeconds: 5 });
      console.info(
        `without a volume: ${report.requests} requests, ${report.failed} failed, gap ${report.longestGapMs} ms`,
      );
      expect(report.failures).toEqual([]);
      expect(report.requests).toBeGreaterThan(500);

      expect(issued).toContain("notes.example.test");
      expect(await certificates()).toBe(issued);
      const after = await droplet();
      expect(after.id).not.toBe(before.id);
      expect(run.lost).toEqual([
        "deleted host",
        "replaced address",
        "replaced database-roles",
        "replaced host-door",
        "replaced host-prepare",
        "replaced notes-release",
      ]);
      inOrder(run, ["replaced notes-release", "replaced host-door", "replaced address", "deleted host"]);
    },
    5 * minutes,
  );

  it(
    "takes uploads and certificates along on its data volume, with a gap that is measured",
    async () => {
      await stack.up({ "slipway:host": { mediaVolumeGib: 1 } });
      const issued = await certificates();
      load = await begin();
      const run = await stack.up({ "slipway:host": { generation: 3 } });
      const report = await load.finish({ minRequests: 500, withinSeconds: 5 });
      console.info(
        `with a volume: ${report.requests} requests, ${report.failed} failed, gap ${report.longestGapMs} ms`,
      );
      expect(report.longestGapMs).toBeLessThan(45_000);
      expect(report.uploads.length).toBeGreaterThan(0);
      expect(await lostFiles(target(), report.uploads)).toBeUndefined();
      expect(await certificates()).toBe(issued);
      inOrder(run, [
        "created host-images-3",
        "replaced host-media-attachment",
        "replaced host-media-mount",
        "replaced notes-release",
        "replaced host-door",
        "replaced address",
        "deleted host-2",
      ]);
    },
    5 * minutes,
  );

  it(
    "takes connections again when the next one does not come",
    async () => {
      const ask = (limitSeconds: number) =>
        request({ target: target(), path: "/healthz", agent: makeAgent(target(), false), limitSeconds });
      await stack.road.onHost("/usr/local/lib/slipway/leave.sh door");
      expect((await ask(2)).failure).toBe("no answer within 2 s");
      expect(await stack.road.onHost("systemctl is-active slipway-door.timer")).toBe("active");
      // What the timer starts after 5 minutes.
      await stack.road.onHost("systemctl start slipway-door.service");
      expect((await ask(5)).failure).toBeUndefined();
    },
    minutes,
  );
});
