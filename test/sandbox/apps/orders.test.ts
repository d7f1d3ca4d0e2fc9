// An app with everything in its compose file: database, broker, two workers and beat. What is not proven here: brokers
// other than Redis, and workers that do not heed SIGTERM.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UpFailed } from "../../../cli/rehearse/world";
import { Commands } from "../day2/commands";
import { sendRelease } from "../faults/payload";
import { fixtureApp, Road } from "../road/road";
import { describeSandbox } from "../support";

interface Run {
  readonly task: string;
  readonly kind: string;
  readonly build: number;
  readonly release: number;
  readonly ended: string | null;
}

interface State {
  readonly runs: readonly Run[];
  readonly ticks: readonly { readonly at: number; readonly release: number; readonly host: string }[];
  readonly visits: number;
  readonly queued: number;
}

interface Enqueued {
  readonly release: number;
  readonly ids: readonly string[];
}

const road = new Road({ name: "orders", app: fixtureApp("orders") });
const minutes = 60_000;

const state = async (): Promise<State> => (await (await fetch(road.url("/state"))).json()) as State;

async function enqueue(kind: string, n: number, seconds: number): Promise<Enqueued> {
  const answer = await fetch(road.url(`/tasks?kind=${kind}&n=${n}&seconds=${seconds}`));
  expect(answer.status).toBe(200);
  return (await answer.json()) as Enqueued;
}

/** Waits until the state of the app is as it should be. */
async function until(what: string, seconds: number, holds: (now: State) => boolean): Promise<State> {
  for (const end = Date.now() + seconds * 1000; ; await sleep(500)) {
    const now = await state();
    if (holds(now)) return now;
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s: ${JSON.stringify(now)}`);
  }
}

/** Enqueues a few tasks again and again until the work is done. */
async function during<T>(work: Promise<T>, tasks: () => Promise<Enqueued>): Promise<Enqueued[]> {
  const answers: Enqueued[] = [];
  let done = false;
  const end = (): void => void (done = true);
  work.then(end, end);
  while (!done) {
    answers.push(await tasks());
    await sleep(400);
  }
  return answers;
}

/** Containers that run in a project or as a service, with the time of their start. */
const containers = (label: string): Promise<string> =>
  road.onHost(
    `docker ps --quiet --filter label=com.docker.compose.${label} | sort | xargs -r docker inspect --format '{{.Id}} {{.State.StartedAt}}'`,
  );

const ids = (answers: readonly Enqueued[]): string[] => answers.flatMap((answer) => answer.ids);

/** Who ticked, in order, each once for as long as it went on. */
function beats({ ticks }: State): string[] {
  const sorted = [...ticks].sort((a, b) => a.at - b.at);
  return sorted.flatMap(({ host }, index) => (host === sorted[index - 1]?.host ? [] : [host]));
}

/** How often each task was run to its end. */
function runsOf({ runs }: State, tasks: readonly string[]): number[] {
  return tasks.map((task) => runs.filter((run) => run.task === task && run.ended !== null).length);
}

const once = (tasks: readonly string[]): number[] => tasks.map(() => 1);

describeSandbox("an app with its database, broker, workers and beat in the compose file", () => {
  beforeAll(async () => {
    await road.remove();
    await road.provision();
    await road.up(road.images["release-1"]);
  }, 5 * minutes);
  afterAll(() => road.remove(), minutes);

  it(
    "loses none of 200 tasks across a release, and gives none to a worker that does not know it",
    async () => {
      const stateful = await containers("project=orders-stateful");
      expect(stateful.split("\n")).toHaveLength(2);
      const { visits } = await until("a beat", 20, ({ ticks }) => ticks.length > 2);
      await fetch(road.url("/"));

      // Still running when its worker is told to stop.
      const finishing = (await enqueue("count", 1, 18)).ids;
      const before = await enqueue("newest", 80, 0.2);

      const up = road.up(road.images["release-2"]);
      const meanwhile = await during(up, () => enqueue("newest", 2, 0.2));
      await up;
      const rest = Math.max(1, 200 - ids([before, ...meanwhile]).length);
      const answers = [before, ...meanwhile, await enqueue("newest", rest, 0.2)];
      const tasks = ids(answers);
      expect(tasks.length).toBeGreaterThanOrEqual(200);
      expect(new Set(meanwhile.map(({ release }) => release))).toEqual(new Set([1, 2]));

      const now = await until("all tasks are done", 60, (seen) => runsOf(seen, tasks).every((n) => n > 0));
      expect(runsOf(now, tasks)).toEqual(once(tasks));
      // What was begun at the switch is finished by who began it.
      expect(runsOf(now, finishing)).toEqual([1]);
      expect(now.runs.find(({ task }) => task === finishing[0])).toMatchObject({ release: 1 });

      const gifts = ids(answers.filter(({ release }) => release === 2));
      const byKind = now.runs.filter(({ kind }) => kind === "gift");
      expect(byKind.map(({ task }) => task).sort()).toEqual([...gifts].sort());
      expect(new Set(byKind.map(({ build, release }) => `${build} ${release}`))).toEqual(new Set(["2 2"]));

      expect(beats(now)).toHaveLength(2);
      expect(now.visits).toBe(visits + 1);
      expect(await containers("project=orders-stateful")).toBe(stateful);
      // The backup ran where the database is.
      const dump = await road.onHost("docker exec orders-stateful-db-1 grep -c orders_run /tmp/orders.sql");
      expect(Number(dump)).toBeGreaterThan(0);
    },
    3 * minutes,
  );

  it(
    "leaves workers and beat alone when a release is refused, which then has run no task",
    async () => {
      const kept = await Promise.all(["worker", "beat"].map((name) => containers(`service=${name}`)));
      const stateful = await containers("project=orders-stateful");
      const seen = beats(await state()).length;
      const up = road.up(road.images.broken);
      const answers = await during(up, () => enqueue("newest", 1, 0.1));
      await expect(up).rejects.toBeInstanceOf(UpFailed);
      expect((await road.receipts()).at(-1)).toMatchObject({ result: "failed", code: "gate-refused" });

      const tasks = ids(answers);
      const now = await until("all tasks are done", 30, (found) => runsOf(found, tasks).every((n) => n > 0));
      expect(runsOf(now, tasks)).toEqual(once(tasks));
      expect(now.runs.filter(({ release }) => release > 2)).toEqual([]);
      expect(beats(now)).toHaveLength(seen);
      expect(await Promise.all(["worker", "beat"].map((name) => containers(`service=${name}`)))).toEqual(
        kept,
      );
      expect(await containers("project=orders-stateful")).toBe(stateful);
    },
    2 * minutes,
  );

  it(
    "brings the old workers and beat back when the switch fails after they were retired",
    async () => {
      await road.onHost("echo 'nonsense {' >/etc/caddy/slipway/zz.caddy");
      const running = "docker ps --format '{{.Names}}' | sort";
      const before = await road.onHost(running);
      const serving = beats(await state()).at(-1);
      const up = road.up(road.images["release-2"]);
      const answers = await during(up, () => enqueue("newest", 1, 0.1));
      await expect(up).rejects.toThrow(/caddy refuses the site/);
      await road.onHost("rm /etc/caddy/slipway/zz.caddy");

      expect(await road.onHost(running)).toBe(before);
      const tasks = ids(answers);
      const now = await until("all tasks are done", 30, (found) => runsOf(found, tasks).every((n) => n > 0));
      expect(runsOf(now, tasks)).toEqual(once(tasks));
      const { ticks } = now;
      await until("beat goes on", 20, (found) => found.ticks.length > ticks.length + 2);
      expect(beats(await state()).at(-1)).toBe(serving);
    },
    2 * minutes,
  );

  it(
    "names the broker that another command in the file restarts; its counters go on, the database is left alone",
    async () => {
      const database = await containers("service=db");
      const broker = await containers("service=redis");
      const { visits } = await state();
      const release = road.store.progress.lastRelease + 1;
      const replace = { "redis-server --appendonly yes": "redis-server --appendonly yes --maxmemory 512mb" };
      expect(await sendRelease(road, release, { replace })).toMatchObject({ status: 0 });
      road.store.update({ lastRelease: release, serving: release });
      expect((await road.receipts()).at(-1)).toMatchObject({ release, restarted: ["redis"] });
      expect(await containers("service=db")).toBe(database);
      expect(await containers("service=redis")).not.toBe(broker);
      await fetch(road.url("/"));
      expect((await state()).visits).toBe(visits + 1);
    },
    2 * minutes,
  );

  it(
    "is backed up while it runs, and comes back with the rows and counters of then",
    async () => {
      const commands = new Commands(road.directory);
      const directory = path.join(mkdtempSync(path.join(tmpdir(), "slipway-orders-")), "backup");
      const early = (await enqueue("count", 3, 0.1)).ids;
      const before = await until("early tasks are done", 30, (now) =>
        runsOf(now, early).every((n) => n === 1),
      );
      const backup = await commands.run(["backup", "--output", directory]);
      expect(backup).toMatchObject({
        code: 0,
        stdout: expect.stringContaining("orders_exports is kept by a driver") as string,
      });
      expect(readdirSync(directory).sort()).toEqual(["db.dump", "manifest.json", "orders_redis_data.tar"]);

      await fetch(road.url("/"));
      const later = (await enqueue("count", 3, 0.1)).ids;
      await until("later tasks are done", 30, (now) => runsOf(now, later).every((n) => n === 1));
      const restored = await commands.run(["restore", directory, "--yes"]);
      expect(restored).toMatchObject({ code: 0, stderr: "" });

      const now = await state();
      expect(now.visits).toBe(before.visits);
      // Beat goes on at once, so that there are rows of its tasks as well.
      expect(runsOf(now, early)).toEqual(once(early));
      expect(runsOf(now, later)).toEqual([0, 0, 0]);
      const anew = (await enqueue("count", 1, 0.1)).ids;
      await until("the workers work again", 30, (found) => runsOf(found, anew)[0] === 1);
      rmSync(path.dirname(directory), { recursive: true });
    },
    3 * minutes,
  );

  it(
    "kills a worker whose task outlasts the drain: the broker still has what is acknowledged late, the rest is lost",
    async () => {
      const [early = ""] = (await enqueue("count", 1, 300)).ids;
      const [late = ""] = (await enqueue("late", 1, 300)).ids;
      await until("both run", 20, ({ runs }) =>
        [early, late].every((id) => runs.some(({ task }) => task === id)),
      );
      await road.up(road.images["release-2"]);
      expect(runsOf(await state(), [early, late])).toEqual([0, 0]);
      const kept = await road.onHost("docker exec orders-stateful-redis-1 redis-cli hvals unacked");
      expect(kept).toContain(late);
      expect(kept).not.toContain(early);
      expect(await road.onHost("cat $(ls /var/lib/slipway/orders/log/*.log | tail -n 1)")).toContain(
        "worker did not end in time and is killed",
      );
    },
    3 * minutes,
  );
});
