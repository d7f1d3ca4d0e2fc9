// What the rehearsal shows, and what it does not: secrets, idempotence, the metadata address, a cut connection. One host
// for all of it, in this order. Not proven here: that DigitalOcean accepts the inputs; see the unit tests for the
// inputs themselves.
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { cutSsh } from "../../../cli/sandbox/bodies/droplet";
import { openSandbox } from "../../../cli/sandbox/local";
import { describeSandbox } from "../support";
import { classicUnderLoad, deployClassic, makeRoomForClassic } from "./classic";
import { needle, oddSecret, Road, sha256 } from "./road";

const minutes = 60_000;
const project = path.resolve(__dirname, "../../..");
const road = new Road();

interface Rehearsed {
  readonly ok: boolean;
  readonly releases: readonly {
    name: string;
    ok: boolean;
    requests: number;
    failed: number;
    longestGapMs: number;
  }[];
}

async function slipway(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const command = [path.join(project, "cli/bin/slipway.cjs"), ...args];
  return promisify(execFile)(process.execPath, command, { cwd: project, maxBuffer: 64 << 20 });
}

describeSandbox("the road", () => {
  beforeAll(() => slipway("rehearse", "--down"), 2 * minutes);
  afterAll(() => slipway("rehearse", "--down"), 2 * minutes);

  it(
    "is rehearsed: two releases, a broken one and a rollback, with no failed request",
    async () => {
      const { stdout } = await slipway("rehearse", "--keep", "--json");
      const result = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Rehearsed;
      expect(result.releases.map(({ name, ok, failed }) => ({ name, ok, failed }))).toEqual(
        ["release-1", "release-2", "broken", "rollback"].map((name) => ({ name, ok: true, failed: 0 })),
      );
      const second = result.releases[1];
      expect(second?.requests).toBeGreaterThanOrEqual(3000);
      expect(second?.longestGapMs).toBeLessThan(500);
      expect(result.ok).toBe(true);
    },
    15 * minutes,
  );

  it(
    "performs nothing when it provisions a second time, and says so",
    async () => {
      const { stdout } = await slipway("rehearse", "--only", "provision");
      expect(stdout).toMatch(/nothing to do: all \d+ resources are as they should be/);
    },
    2 * minutes,
  );

  it("migrated once, before the traffic of release 1, and says that a rollback leaves migrations alone", async () => {
    const receipts = await road.receipts();
    const applied = receipts.map(
      (receipt) => (receipt["migrations"] as { applied: string[] } | undefined)?.applied,
    );
    expect(applied[0]).toContain("documents.0002_document_sha256");
    expect(applied.slice(1).flat().filter(Boolean)).toEqual([]);
  });

  it("leaves nothing of the broken release running, and its receipt names the cause", async () => {
    const refused = (await road.receipts()).find(({ result }) => result === "failed");
    expect(refused).toMatchObject({ step: "gate", code: "gate-refused", serves: 2 });
    expect(
      await road.onHost("docker ps --all --format '{{.Label \"com.docker.compose.project\"}}' | sort -u"),
    ).toMatch(/^hello-django-(blue|green)$/);
  });

  it(
    "brings a secret with every awkward character into the container, and shows it nowhere",
    async () => {
      await putNeedle();
      const watched = road.onHost(watchArguments());
      const shipped = await road.ship(road.images["release-2"]);
      await road.onHost("touch /run/watch-ends");
      expect(shipped.error).toBeUndefined();
      expect(await watched).toMatch(/^looked \d{2,} times, seen 0 times$/);
      await road.manage(`check_secret ODD_SECRET ${sha256(oddSecret)}`);
      expect(await road.onHost(filesWithNeedle(), "nobody")).toBe("");
      expect(stateTexts().filter((text) => text.includes(needle))).toEqual([]);
      expect(JSON.stringify(await road.receipts())).not.toContain(needle);
      expect(await road.onHost("ls -d /run/slipway.* 2>/dev/null | wc -l")).toBe("0");
    },
    3 * minutes,
  );

  it(
    "flips five times in a minute with no failed request",
    async () => {
      const load = await road.startLoad({ releases: 5, requestsPerSecond: 60 });
      const done: number[] = [];
      for (const each of [2, 1, 2, 1, 2] as const) {
        await road.up(road.images[`release-${each}`]);
        done.push(Date.now());
      }
      expect((done.at(-1) ?? 0) - (done[0] ?? 0)).toBeLessThan(minutes);
      const { failures } = await load.finish({ minRequests: 1000, withinSeconds: 30 });
      // The client knows of two releases; that the ones between them answer as well is the point here.
      expect(failures.filter(({ reason }) => !/^release \d+ answered, expected/.test(reason))).toEqual([]);
    },
    3 * minutes,
  );

  it(
    "touches no container when the same release comes again, and needs less than 2 s for it",
    async () => {
      const list = "docker ps --all --no-trunc --quiet | sort";
      const before = await road.onHost(list);
      await road.again({ "slipway:keepReleases": 4 });
      expect(await road.onHost(list)).toBe(before);
      const seconds = await road.onHost(secondsOfLastUnit());
      expect(Number(seconds)).toBeLessThan(2);
    },
    minutes,
  );

  it(
    "keeps the metadata address, and with it the host key, from containers and users",
    async () => {
      const ask = "http://169.254.169.254/metadata/v1/user-data";
      const curl = `curl --silent --max-time 3 --output /dev/null --write-out '%{http_code}' ${ask}`;
      expect(await road.onHost(curl)).toBe("200");
      expect(await road.onHost(`${curl} || true`, "deploy")).toBe("000");
      const python = `import urllib.request as u\ntry: print(u.urlopen("${ask}", timeout=3).status)\nexcept OSError: print("closed")`;
      const web = "docker ps --quiet --filter label=com.docker.compose.service=web";
      expect(await road.onHost(`docker exec $(${web}) python -c '${python}'`)).toBe("closed");
    },
    minutes,
  );

  it(
    "leaves the old release its route when the edge refuses the new one, and ships it when that is mended",
    async () => {
      const serving = String(road.store.progress.serving);
      await road.onHost("echo 'nonsense {' >/etc/caddy/slipway/zz.caddy");
      await expect(road.up(road.images["release-2"])).rejects.toThrow(/caddy refuses the site/);
      expect(await served()).toEqual([200, serving]);
      await road.onHost("rm /etc/caddy/slipway/zz.caddy");
      await road.up(road.images["release-2"]);
      expect(await served()).toEqual([200, String(road.store.progress.serving)]);
    },
    2 * minutes,
  );

  it(
    "finishes a release that was killed behind its switch, and the next one goes through",
    async () => {
      const up = road.up(road.images["release-1"]);
      up.catch(() => undefined);
      await road.onHost(waitForStep("start"));
      const inFlight = fetch(road.url("/slow?seconds=15"));
      await road.onHost(
        `${waitForStep("drain")}; systemctl kill --signal KILL 'slipway-hello-django-release-*'`,
      );
      await expect(up).rejects.toThrow();
      expect(await served()).toEqual([200, String(road.store.progress.lastRelease)]);
      await road.up(road.images["release-2"]);
      expect((await inFlight).status).toBe(200);
      expect(await served()).toEqual([200, String(road.store.progress.serving)]);
      expect(await road.onHost("docker ps --all --quiet | wc -l")).toBe("2");
    },
    2 * minutes,
  );

  it(
    "goes back to 1 although the connection was cut right after the switch to 2",
    async () => {
      const sandbox = openSandbox({ stack: road.stack, sandboxDirectory: road.directory }, () => undefined);
      const { id } = await road.host();
      // A request in flight holds the drain open, so that the cut falls between the switch and the end.
      const up = road.up(road.images["release-2"]);
      up.catch(() => undefined);
      await road.onHost(waitForStep("start"));
      const inFlight = fetch(road.url("/slow?seconds=15"));
      await road.onHost(waitForStep("drain"));
      await cutSsh(sandbox, id);
      await expect(up).rejects.toThrow();
      expect((await inFlight).status).toBe(200);
      const { changed } = await road.up(road.images["release-1"]);
      expect(changed).toBeGreaterThan(0);
      const page = await (await fetch(road.url("/healthz"))).text();
      expect(page).toContain(`"slipway_release": "${road.store.progress.serving}"`);
      expect(await road.onHost("docker ps --no-trunc --format '{{.Image}}' | sort")).toBe(
        Object.values(road.images["release-1"]).sort().join("\n"),
      );
    },
    2 * minutes,
  );

  it(
    "answers under a domain with a certificate, sends HTTP there, and tells Django host and scheme",
    async () => {
      await road.up(road.images["release-1"], {
        "slipway:app": { domains: ["shop.example.test"] },
        "slipway:dns": { zone: "example.test" },
      });
      const curl =
        "curl --silent --connect-to ::127.0.0.1: --cacert /etc/caddy/slipway/hello-django-acme-ca.pem";
      expect(await road.onHost(`${curl} --head http://shop.example.test/x?y=1`)).toMatch(
        /^HTTP\/1\.1 308[^]*Location: https:\/\/shop\.example\.test\/x\?y=1\r/i,
      );
      const page = await road.onHost(`${curl} https://shop.example.test/`);
      expect(page).toContain('href="https://shop.example.test/"');
    },
    2 * minutes,
  );

  it("still has every upload, whole", async () => {
    expect(await road.manage("verify_documents")).toMatch(/\d+/);
  });

  it(
    "drops no request where the classic script on the same host drops more than 50, and is not slower",
    async () => {
      const ours = await road.ship(road.images["release-2"]);
      await makeRoomForClassic(road);
      const first = road.store.progress.lastRelease + 1;
      await deployClassic(road, first, road.images["release-1"]);
      const classic = await classicUnderLoad(road, first, first + 1, road.images["release-2"]);
      expect(ours.result.failed).toBe(0);
      expect(classic.failed).toBeGreaterThan(50);
      expect(ours.result.secondsToServe).toBeLessThanOrEqual(classic.secondsToServe ?? 0);
    },
    5 * minutes,
  );
});

// What is looked for is in a file: in an argument it would find itself.
async function putNeedle(): Promise<void> {
  const hex = Buffer.from(needle).toString("hex");
  await road.onHost(`rm -f /run/watch-ends; printf "$(echo ${hex} | sed 's/../\\\\x&/g')" >/run/needle`);
}

// Looks at the arguments of every process on the host, about 20 times a second, until it is told to end.
function watchArguments(): string {
  return [
    "seen=0; looked=0; end=$((SECONDS + 90))",
    "while [ ! -e /run/watch-ends ] && [ $SECONDS -lt $end ]; do",
    "  looked=$((looked + 1))",
    "  if cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -qF -f /run/needle; then seen=$((seen + 1)); fi",
    "  sleep 0.05; done; echo looked $looked times, seen $seen times",
  ].join("\n");
}

// Files that hold the secret and that a user who is nobody here can read.
function filesWithNeedle(): string {
  return [
    "find / -xdev -type f -readable -size -5M -not -path '/proc/*' -not -path '/sys/*' -not -path /run/needle -print0 2>/dev/null |",
    "  xargs -0 grep -lF -f /run/needle 2>/dev/null || true",
  ].join("\n");
}

function secondsOfLastUnit(): string {
  return "journalctl --output=short-unix --unit='slipway-hello-django-release-*' --quiet | tail -n 40 | awk '/Started|Starting/ {a=$1} /Deactivated|finished|Consumed/ {b=$1} END {print b - a}'";
}

async function served(): Promise<[number, string | null]> {
  const answer = await fetch(road.url("/healthz"));
  return [answer.status, answer.headers.get("x-slipway-release")];
}

function waitForStep(step: string): string {
  const now = "jq -r .step /var/lib/slipway/hello-django/journal.json 2>/dev/null";
  return `for _ in $(seq 600); do [ "$(${now})" = ${step} ] && break; sleep 0.05; done; [ "$(${now})" = ${step} ]`;
}

function stateTexts(): string[] {
  return readdirSync(road.directory)
    .filter((file) => !file.startsWith("test-overlay"))
    .map((file) => path.join(road.directory, file))
    .filter((file) => /\.(json|log|yaml)$/.test(file))
    .map((file) => readFileSync(file, "utf8"));
}
