// Two apps on one droplet, of one source under two names: what one does must not touch the other. One host for all of
// it, in this order. Not proven here: that DigitalOcean's admin may make databases as this one may.
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startLoad } from "../../cli/rehearse/load/load";
import type { LoadReport, LoadTarget } from "../../cli/rehearse/load/plan";
import { servingRelease } from "../../cli/rehearse/serving";
import type { ImageSet } from "../../cli/rehearse/world";
import { writeReleaseFile } from "../../components/release/releaseFile";
import { fixtureApp, Road } from "./road/road";
import { describeSandbox } from "./support";

const minutes = 60_000;
const notes = fixtureApp("notes");
const road = new Road({
  name: "apps-on-one-host",
  app: notes,
  config: {
    "slipway:app": { domains: ["notes.example.test"], drainSeconds: 5 },
    "slipway:dns": { zone: "example.test" },
    // The smallest cluster has 22 connections: too few for two apps of which one runs twice.
    "slipway:database": { size: "db-s-1vcpu-2gb" },
  },
});
const releasesFile = path.join(road.directory, "blog.yaml");
const blog = {
  ...{ directory: notes, domains: ["blog.example.test"], drainSeconds: 5 },
  ...{ database: {}, releasesFile },
};
type Name = "notes" | "blog";

/** Runs the program with a release of each app; without `blog` as a stack that has the first app alone. */
async function up(of: Readonly<Record<Name, readonly [number, ImageSet] | undefined>>): Promise<void> {
  const world = road.world(of.blog && { "slipway:apps": { blog } });
  if (of.notes) await world.setRelease(...of.notes);
  if (of.blog) await writeReleaseFile(releasesFile, { release: of.blog[0], images: of.blog[1] });
  await world.up(road.watch);
}

function target(name: Name): LoadTarget {
  const known = road.store.progress.target;
  if (!known) throw new Error("there is no host yet");
  return { ...known, url: `https://${name}.example.test` };
}

const pages = road.description.requests.get;
const serving = (name: Name) => servingRelease(target(name), pages);

/** What 60 requests a second see of an app while something is done: every answer has to be of one of the releases. */
async function watch(name: Name, [from, to]: readonly [number, number], work: Promise<unknown>) {
  const load = await startLoad({
    ...{ target: target(name), pages, slow: "/slow?seconds=2", expected: "serves" },
    ...{ from, to, clients: 6, requestsPerSecond: 60 },
  });
  try {
    await work;
    return await load.finish({ minRequests: 100, withinSeconds: 20 });
  } finally {
    load.kill();
  }
}

const untouched = (...reports: readonly LoadReport[]) =>
  expect(reports.map(({ failures }) => failures)).toEqual(reports.map(() => []));

/** Containers with the time of their start, slot, state, route and receipts: what another app's release must leave alone. */
function snapshot(name: Name): Promise<string> {
  return road.onHost(`
    docker ps --all --quiet --no-trunc --filter name=^${name}- | sort |
      xargs docker inspect --format '{{.Id}} {{.State.StartedAt}} {{.RestartCount}}'
    cat /var/lib/slipway/${name}/{slot,state}.json
    cat /etc/caddy/slipway/${name}.caddy /var/lib/slipway/${name}/receipts.jsonl | sha256sum`);
}

/** Another program of the host that listens where a slot would. */
async function squat(port: number): Promise<void> {
  await road.onHost(`
    systemd-run --quiet --unit=squatter-${port} python3 -m http.server ${port} --bind 127.0.0.1
    timeout 10 bash -c 'until ss -Hltn "( sport = :${port} )" | grep -q .; do sleep 0.1; done'`);
}

async function ports(name: Name): Promise<{ readonly blue: number; readonly green: number }> {
  const slot = JSON.parse(await road.onHost(`cat /var/lib/slipway/${name}/slot.json`)) as object;
  return (slot as { ports: { blue: number; green: number } }).ports;
}

/** Everything of an app that is to go with it, and on the last lines what is to stay. */
function remains(name: Name): Promise<string> {
  return road.onHost(`
    docker ps --all --format '{{.Names}}' --filter name=^${name}-
    docker network ls --format '{{.Name}}' --filter name=^${name}
    docker image ls --format '{{.Repository}}' --filter reference='slipway/${name}/*'
    find /var/lib/slipway /etc/caddy/slipway /var/log/caddy /etc/systemd/system -name '*${name}*'
    docker volume ls --quiet --filter name=^${name}_`);
}

const curl = (name: Name, page: string, more = "") =>
  road.onHost(
    `curl --silent --fail --connect-to ::127.0.0.1: --cacert /etc/caddy/slipway/${name}-acme-ca.pem ${more} https://${name}.example.test${page}`,
  );

describeSandbox("two apps on one host", () => {
  let first: ImageSet;
  let second: ImageSet;
  let broken: ImageSet;

  beforeAll(async () => {
    await road.remove();
    await road.provision();
    ({ "release-1": first, "release-2": second, broken } = road.images);
  }, 5 * minutes);
  afterAll(() => road.remove(), minutes);

  it(
    "are shipped at once, and answer under their own names, with their own certificates, release numbers and data",
    async () => {
      await squat(18000);
      await up({ notes: [1, second], blog: [7, first] });
      const all = [await ports("notes"), await ports("blog")].flatMap((each) => [each.blue, each.green]);
      expect(all.sort()).toEqual([18001, 18002, 18003, 18004]);
      const until = Date.now() + 20_000;
      while ((await serving("blog")) === null || (await serving("notes")) === null) {
        if (Date.now() > until) throw new Error("no certificate within 20 s");
        await sleep(200);
      }
      expect([await serving("notes"), await serving("blog")]).toEqual([1, 7]);
      await curl("notes", "/notes/", "--data text=of-notes");
      await curl("blog", "/notes/", "--data text=of-blog");
      await curl("blog", "/files/", "--form file=@/etc/hostname");
      expect(JSON.parse(await curl("notes", "/notes/"))).toEqual({ notes: ["of-notes"] });
      expect(JSON.parse(await curl("blog", "/notes/"))).toEqual({ notes: ["of-blog"] });
      expect(JSON.parse(await curl("notes", "/files/"))).toEqual({ files: [] });
    },
    3 * minutes,
  );

  it(
    "leave each other alone: a release of one restarts nothing of the other and drops none of its requests",
    async () => {
      const before = await snapshot("blog");
      untouched(await watch("blog", [7, 7], up({ notes: [2, second], blog: [7, first] })));
      expect(await snapshot("blog")).toBe(before);
      expect([await serving("notes"), await serving("blog")]).toEqual([2, 7]);
    },
    3 * minutes,
  );

  it(
    "are released at once with no failed request, one after the other; one that is refused keeps the other from nothing",
    async () => {
      const both = up({ notes: [3, second], blog: [8, first] });
      untouched(...(await Promise.all([watch("notes", [2, 3], both), watch("blog", [7, 8], both)])));

      const work = up({ notes: [4, broken], blog: [9, first] });
      const ended = work.catch(() => undefined);
      const refused = expect(work).rejects.toThrow(/the new release answers 500/);
      untouched(...(await Promise.all([watch("notes", [3, 3], ended), watch("blog", [8, 9], ended)])));
      await refused;
      expect([await serving("notes"), await serving("blog")]).toEqual([3, 9]);
    },
    3 * minutes,
  );

  it(
    "say by name what has taken a port since, before anything is migrated, and go on serving",
    async () => {
      const { blue, green } = await ports("notes");
      const served = await road.onHost("cat /etc/caddy/slipway/notes.caddy");
      const next = served.includes(`127.0.0.1:${blue}`) ? green : blue;
      await squat(next);
      const work = up({ notes: [5, second], blog: [9, first] });
      await expect(work).rejects.toThrow(
        `port ${next} of this host, where release 5 would listen, is taken by python3`,
      );
      expect([await serving("notes"), await serving("blog")]).toEqual([3, 9]);
    },
    3 * minutes,
  );

  it(
    "part: one goes with all that it has but its data, and comes back to it, while the other serves on",
    async () => {
      const before = await snapshot("notes");
      untouched(await watch("notes", [3, 3], up({ notes: [3, second], blog: undefined })));
      expect(await remains("blog")).toBe("blog_uploads");
      expect(
        await road.onHost("docker image ls --digests --format '{{.Repository}}@{{.Digest}}'"),
      ).not.toContain(first["app"]);
      expect(await snapshot("notes")).toBe(before);

      const owner = "/var/lib/slipway/blog/owner";
      await road.onHost(`mkdir -p $(dirname ${owner}) && echo slipway/production >${owner}`);
      const taken = up({ notes: [3, second], blog: [10, first] });
      await expect(taken).rejects.toMatchObject({
        details: {
          log: {
            text: expect.stringMatching(
              /blog of this host belongs to the stack slipway\/production/,
            ) as string,
          },
        },
      });
      await road.onHost(`rm ${owner}`);
      await up({ notes: [3, second], blog: [10, first] });
      expect(JSON.parse(await curl("blog", "/notes/"))).toEqual({ notes: ["of-blog"] });
      expect((JSON.parse(await curl("blog", "/files/")) as { files: string[] }).files).toHaveLength(1);
      expect(await snapshot("notes")).toBe(before);
    },
    3 * minutes,
  );
});
