// A server of the classic script, taken over and given back under load, in this order. A request on a connection that was
// open at the takeover may still be answered by the classic nginx, since such a connection goes on where it is; any
// other answer of the wrong release counts as a failure, and so does every refused or broken request.
// Not proven here: IPv6 from outside, and a cloud's own firewall.
import { readFileSync } from "node:fs";
import path from "node:path";
import { lostFiles } from "../../../cli/rehearse/keptFiles";
import type { KeptFile, LoadReport } from "../../../cli/rehearse/load/plan";
import { docker, dockerExec } from "../../../cli/sandbox/bodies/docker";
import { describeSandbox } from "../support";
import { classic, ClassicHost } from "./classicHost";

const minutes = 60_000;
const host = new ClassicHost();
const { road } = host;
const uploads: KeptFile[] = [];

describeSandbox("a server of the classic script", () => {
  beforeAll(async () => {
    await road.remove();
    await host.make();
  }, 5 * minutes);
  afterAll(() => road.remove(), minutes);

  it(
    "is prepared under load, and refused with the cure while the program does not say that it is adopted",
    async () => {
      const before = await containers("app");
      const report = await underLoad(classic, next(), "refused", async () => {
        const refused = road.up(road.images["release-1"], { ...host.config, "slipway:app": {} });
        await expect(refused).rejects.toMatchObject({
          details: { code: "edge-taken", cure: expect.stringContaining("adopt: {project: app}") as string },
        });
      });
      expect(report.failures).toEqual([]);
      expect(await containers("app")).toEqual(before);
    },
    2 * minutes,
  );

  it(
    "serves on, untouched, when the first release is broken",
    async () => {
      const before = await containers("app");
      const report = await underLoad(classic, next(), "refused", async () => {
        const refused = road.up(road.images.broken, host.config);
        await expect(refused).rejects.toMatchObject({ details: { code: "gate-refused" } });
      });
      expect(report.failures).toEqual([]);
      expect(await containers("app")).toEqual(before);
      expect(await containers("shop-blue")).toEqual([]);
    },
    2 * minutes,
  );

  it(
    "is taken over with no failed request: uploads, open pages and volumes are as they were",
    async () => {
      const page = await (await fetch(road.url("/"))).text();
      const style = /href="([^"]+)"/.exec(page)?.[1] ?? "";
      const report = await underLoad(classic, next(), "serves", () =>
        road.up(road.images["release-2"], host.config),
      );
      expect(failed(report)).toEqual([]);
      expect(report.slowAcrossSwitch).toBeGreaterThan(0);
      expect((await fetch(road.url(style))).status).toBe(200);
      expect(await served()).toEqual([200, String(last())]);
      expect((await road.onHost("docker volume ls --quiet")).split("\n").filter(isKept)).toEqual([
        "app_media_volume",
        "app_static_volume",
      ]);
      expect(await road.onHost("docker ps --quiet --filter label=com.docker.compose.project=app")).toBe("");
    },
    2 * minutes,
  );

  it(
    "goes back to the classic containers with no failed request, though that is killed on the way and run again",
    async () => {
      const back = "/var/lib/slipway/shop/back-to-classic.sh";
      const report = await underLoad(last(), classic, "serves", async () => {
        await road.onHost(`${back} >/dev/null & echo $! >/run/back`);
        await onceOnHost("nft list table inet slipway_aside", "kill -KILL $(cat /run/back)");
        await road.onHost(back);
      });
      expect(failed(report)).toEqual([]);
      expect(await served()).toEqual([200, String(classic)]);
      const own = "docker ps --all --format '{{.Label \"com.docker.compose.project\"}}' | sort -u";
      expect(await road.onHost(own)).toBe("app");
      const policy = "docker inspect --format '{{.HostConfig.RestartPolicy.Name}}' app-nginx-1 app-web-1";
      expect(await road.onHost(policy)).toBe("always\nalways");
      expect(await leftovers()).toBe("");
    },
    2 * minutes,
  );

  it("asks for a certificate on port 443 alone while it has no other, and leaves nothing of that", async () => {
    const { container } = await road.host();
    const input = readFileSync(path.join(__dirname, "ports.sh"), "utf8");
    expect((await dockerExec(container, ["bash", "-s"], { input })).trim().split("\n")).toEqual([
      "aside, a given authority: http-01 is off",
      "aside, any authority: http-01 is off",
      "both ports: :19080 :443 :80",
      "one port: as it was",
    ]);
  }, 30_000);

  it("is refused by name where it could not be taken over without harm", async () => {
    const { container } = await road.host();
    const input = readFileSync(path.join(__dirname, "refusals.sh"), "utf8");
    expect((await dockerExec(container, ["bash", "-s"], { input })).trim().split("\n")).toEqual([
      "as it is: nothing",
      "a project that is not there: adopt-missing",
      "data that two would write: adopt-stateful",
      "an app that cannot run twice: adopt-recreate",
      "a firewall that is closed: adopt-firewall",
      "HTTPS of its own: adopt-https",
    ]);
  }, 30_000);

  it(
    "drops nothing when the release is killed behind the redirect, and killed again when it mends itself",
    async () => {
      const report = await underLoad(classic, next(), "serves", async () => {
        const up = road.up(road.images["release-1"], host.config);
        up.catch(() => undefined);
        await killWhen("nft list table inet slipway_aside");
        await killWhen('[ "$(docker inspect --format {{.State.Running}} app-nginx-1)" = false ]');
        await expect(up).rejects.toThrow();
      });
      expect(failed(report)).toEqual([]);
      expect(await leftovers()).toContain("slipway_aside");
      expect(await served()).toEqual([200, String(last())]);
    },
    2 * minutes,
  );

  it(
    "comes back from a reboot in the middle with the release, finishes, and does not start the classic containers",
    async () => {
      const { container } = await road.host();
      await docker(["restart", "--time", "60", container], { timeoutSeconds: 120 });
      await onceOnHost("curl --silent --fail --output /dev/null http://127.0.0.1/healthz");
      await onceOnHost("! test -e /var/lib/slipway/shop/journal.json");
      expect(await served()).toEqual([200, String(last())]);
      expect(await leftovers()).toBe("");
      expect(await road.onHost("ss -Hltnp '( sport = :80 )'")).toContain("caddy");
      expect(await road.onHost("docker ps --quiet --filter label=com.docker.compose.project=app")).toBe("");
    },
    2 * minutes,
  );

  it(
    "gets its next release as every host does, and still has every upload",
    async () => {
      const report = await underLoad(last(), next(), "serves", () =>
        road.up(road.images["release-2"], host.config),
      );
      expect(report.failures).toEqual([]);
      expect(uploads.length).toBeGreaterThanOrEqual(10);
      expect(await lostFiles(target(), uploads)).toBeUndefined();
    },
    minutes,
  );

  it(
    "refuses a release that has forgotten whose volumes it uses",
    async () => {
      const serving = last();
      const refused = road.up(road.images["release-1"], { ...host.config, "slipway:app": {} });
      await expect(refused).rejects.toMatchObject({ details: { code: "adopt-lost" } });
      expect(await served()).toEqual([200, String(serving)]);
    },
    minutes,
  );
});

/** Runs the work under the load of the rehearsal, and keeps what was uploaded. */
async function underLoad(
  from: number,
  to: number,
  expected: "serves" | "refused",
  work: () => Promise<unknown>,
): Promise<LoadReport> {
  const load = await host.load(from, to, expected);
  try {
    load.mark();
    await work();
    const report = await load.finish({ minRequests: 300, withinSeconds: 20 });
    uploads.push(...report.uploads);
    return report;
  } finally {
    load.kill();
  }
}

function failed(report: LoadReport): LoadReport["failures"] {
  const keptOpen = /^release \d+ answered a request that was made after release \d+ had taken over$/;
  return report.failures.filter(({ reason }) => !keptOpen.test(reason));
}

function last(): number {
  return road.store.progress.lastRelease;
}

function next(): number {
  return last() + 1;
}

function target() {
  return { url: road.url("") };
}

/** What runs of a compose project, and since when. */
async function containers(project: string): Promise<string[]> {
  const ids = `docker ps --all --quiet --no-trunc --filter label=com.docker.compose.project=${project}`;
  const lines = await road.onHost(`${ids} | xargs -r docker inspect --format '{{.Id}} {{.State.StartedAt}}'`);
  return lines.split("\n").filter(Boolean).sort();
}

function isKept(volume: string): boolean {
  return !/_r\d+-[0-9a-f]{8}$/.test(volume);
}

async function served(): Promise<[number, string | null]> {
  const answer = await fetch(road.url("/healthz"));
  return [answer.status, answer.headers.get("x-slipway-release")];
}

/** Kills all of the release, or of what puts it in order, as soon as the condition holds. */
function killWhen(condition: string): Promise<string> {
  return onceOnHost(condition, "systemctl kill --signal KILL 'slipway-shop-release-*'");
}

/** Waits on the host itself, so that what follows comes at once. */
function onceOnHost(condition: string, then = "true"): Promise<string> {
  const done = `{ ${then}; exit 0; }`;
  return road.onHost(
    `for _ in $(seq 3000); do ${condition} >/dev/null 2>&1 && ${done}; sleep 0.02; done; exit 1`,
  );
}

/** What only a takeover that is under way may leave. */
function leftovers(): Promise<string> {
  return road.onHost(
    [
      "nft list tables | grep slipway_aside",
      "ls /var/lib/slipway/shop/{journal,classic}.json /etc/caddy/slipway/_aside.options /etc/systemd/system/slipway-aside.service 2>/dev/null",
      "ss -Hltn '( sport = :19080 )'; true",
    ].join("; "),
  );
}
