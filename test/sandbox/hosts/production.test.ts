// What keeps a machine well that nobody looks after: upgrades, bounded logs, a disk that does not fill, and services that
// an upgrade restarts. Not proven here: that a swap file and the time daemon work, which a container has none of, and
// that the distribution's archive answers.
import { readFileSync } from "node:fs";
import path from "node:path";
import type { RunningLoad } from "../../../cli/rehearse/load/load";
import type { LoadReport } from "../../../cli/rehearse/load/plan";
import { dockerExec } from "../../../cli/sandbox/bodies/docker";
import { ensureRegistry } from "../../../cli/sandbox/bodies/registry";
import { describeSandbox } from "../support";
import { HostStack } from "./hostStack";

const minutes = 60_000;
const mebibyte = 1024 * 1024;
const keepReleases = 2;
const stack = new HostStack("production", { "slipway:keepReleases": keepReleases });
const onHost = (line: string) => stack.road.onHost(line);
const scripts = path.resolve(__dirname, "../../../components/release/scripts");
let load: RunningLoad | undefined;

async function underLoad(line: string): Promise<LoadReport> {
  load = await stack.road.startLoad({ releases: 1, requestsPerSecond: 60 });
  await onHost(`sleep 1; ${line}; sleep 1`);
  return load.finish({ minRequests: 0, withinSeconds: 3 });
}

describeSandbox("a machine that nobody looks after", () => {
  beforeAll(async () => {
    await stack.remove();
    await stack.begin(["release-1"]);
  }, 10 * minutes);
  afterEach(() => load?.kill());
  afterAll(() => stack.remove(), 2 * minutes);

  it(
    "upgrades itself: it is set, the timers are on, and the upgrade reads what is set",
    async () => {
      const set = await onHost("apt-config dump APT::Periodic");
      expect(set).toContain('APT::Periodic::Update-Package-Lists "1";');
      expect(set).toContain('APT::Periodic::Unattended-Upgrade "1";');
      const enabled = "systemctl is-enabled apt-daily.timer apt-daily-upgrade.timer slipway-prune.timer";
      expect(await onHost(enabled)).toBe("enabled\nenabled\nenabled");
      expect(await onHost("unattended-upgrade --dry-run --debug 2>&1")).toMatch(
        /Allowed origins are: .*Security/,
      );
    },
    minutes,
  );

  it("says what a container cannot do: swap and a clock of its own", () => {
    const receipt = JSON.parse(stack.output("host-prepare", "stdout")) as { skipped: string[] };
    expect(receipt.skipped).toEqual(
      expect.arrayContaining([
        "swap: a container has none of its own",
        "time synchronisation: a container has the clock of its machine",
      ]),
    );
  });

  it(
    "makes a swap file of the wanted size, and once, where it may",
    async () => {
      const upkeep = readFileSync(path.join(scripts, "prepare-upkeep.sh"), "utf8");
      const swapPart = upkeep.slice(0, upkeep.indexOf("differs /etc/apt"));
      const machine = [
        "set -Eeuo pipefail; setting() { echo 64; }; skip() { echo skipped; }; systemd-detect-virt() { return 1; }",
        'swapon() { case $1 in --show*) [ ! -e /run/swapped ] || echo /swapfile ;; *) touch /run/swapped; echo "on $1" ;; esac; }',
        swapPart,
      ].join("\n");
      const run = () => dockerExecOnHost(["bash", "-s"], machine);
      expect(await run()).toMatch(/on \/swapfile$/);
      expect(await run()).toBe("");
      expect(await onHost("stat --format '%s %a' /swapfile; blkid -o value -s TYPE /swapfile")).toBe(
        `${64 * mebibyte} 600\nswap`,
      );
      expect(
        await onHost("grep -c '^/swapfile ' /etc/fstab; rm /swapfile; sed -i '/swapfile/d' /etc/fstab"),
      ).toBe("1");
    },
    minutes,
  );

  it(
    "bounds what a container logs, the journal, and the edge's access log",
    async () => {
      const image = Object.values(stack.road.images["release-1"])[0];
      await onHost(
        `docker run --name noisy --entrypoint sh ${image} -c 'head -c 100000000 /dev/urandom | base64' >/dev/null`,
      );
      const kept = await onHost(
        "du -sb /var/lib/docker/containers/$(docker inspect --format '{{.Id}}' noisy) | cut -f1; docker rm noisy >/dev/null",
      );
      expect(Number(kept)).toBeGreaterThan(10 * mebibyte);
      expect(Number(kept)).toBeLessThan(61 * mebibyte);
      expect(await onHost("systemd-analyze cat-config systemd/journald.conf")).toContain("SystemMaxUse=200M");
      const logging = JSON.parse(await onHost("caddy adapt --config /etc/caddy/Caddyfile 2>/dev/null")) as {
        logging: { logs: Record<string, { writer?: object }> };
      };
      const writers = Object.values(logging.logging.logs).flatMap(({ writer }) => writer ?? []);
      expect(writers).toEqual([expect.objectContaining({ roll_size_mb: 50, roll_keep: 5 })]);
    },
    2 * minutes,
  );

  it(
    "keeps the images of two releases and a thousand receipts, no more, and removes images without a name",
    async () => {
      const login = await ensureRegistry(stack.sandbox);
      await dockerExecOnHost(
        ["docker", "login", "--username", login.username, "--password-stdin", login.server],
        login.password,
      );
      await onHost(`yes '{"result": "failed"}' | head -n 1200 >>/var/lib/slipway/notes/receipts.jsonl`);
      const base = Object.values(stack.road.images["release-1"])[0];
      for (let number = 1; number <= 5; number += 1) {
        const tag = `${login.server}/many:${number}`;
        const digest = await onHost(
          [
            `c=$(docker create ${base}); docker commit --change 'LABEL number=${number}' $c ${tag} >/dev/null; docker rm $c >/dev/null`,
            `docker push --quiet ${tag} >/dev/null`,
            `docker image inspect --format '{{index .RepoDigests 0}}' ${tag}`,
          ].join("; "),
        );
        await onHost(`docker image rm ${tag} ${digest} >/dev/null 2>&1; true`);
        await stack.releaseImages({ app: digest });
      }
      expect(await onHost("ls /var/lib/slipway/notes/releases | wc -l")).toBe(String(keepReleases));
      expect(Number(await onHost("wc -l </var/lib/slipway/notes/receipts.jsonl"))).toBeLessThanOrEqual(1000);
      await onHost(
        "c=$(docker create $(docker ps --quiet | xargs docker inspect --format '{{.Image}}')); docker commit --change 'LABEL lost=1' $c; docker rm $c",
      );
      await onHost("systemctl start slipway-prune.service");
      // Those of one release more go when the next one needs room.
      const left = Number(await onHost("docker image ls --all --quiet --no-trunc | sort -u | wc -l"));
      expect(left).toBeGreaterThanOrEqual(keepReleases);
      expect(left).toBeLessThanOrEqual(keepReleases + 1);
      expect(await onHost("docker image ls --quiet --filter label=lost")).toBe("");
    },
    4 * minutes,
  );

  it(
    "serves on while Docker is restarted, as an upgrade does",
    async () => {
      const report = await underLoad("systemctl restart docker");
      console.info(
        `docker restarted: ${report.requests} requests, ${report.failed} failed, gap ${report.longestGapMs} ms`,
      );
      expect(report.failures).toEqual([]);
    },
    minutes,
  );

  it(
    "misses no more than a moment while the edge is restarted, as an upgrade does",
    async () => {
      const report = await underLoad("systemctl restart caddy");
      console.info(
        `caddy restarted: ${report.requests} requests, ${report.failed} failed, gap ${report.longestGapMs} ms`,
      );
      expect(report.longestGapMs).toBeLessThan(6000);
    },
    minutes,
  );
});

async function dockerExecOnHost(argv: readonly string[], input: string): Promise<string> {
  const { container } = await stack.road.host();
  return (await dockerExec(container, argv, { input })).trim();
}
