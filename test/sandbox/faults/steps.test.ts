// A release is killed, cut off or left alone by its program in every one of its steps, under a steady load. The steps are
// those that the script itself names. Not proven here: that the kernel of a machine which loses its power has written what it was given.
import { execFileSync } from "node:child_process";
import path from "node:path";
import { fixtureApp, Road } from "../road/road";
import { describeSandbox } from "../support";
import { FaultyHost, type Moment } from "./host";
import { sendRelease } from "./payload";
import { Prober } from "./prober";

const minutes = 60_000;
const releaseScript = path.resolve(__dirname, "../../../components/release/scripts/release.sh");
const steps = execFileSync("bash", [releaseScript, "--steps"], { encoding: "utf8" }).trim().split("\n");
const stages = ["preflight", "fetch", "backup", "migrate", "start", "gate", "switch", "drain", "remove"];

const road = new Road({ name: "faults", app: fixtureApp("notes") });
const host = new FaultyHost(road, "notes");
let prober: Prober;
let serving = 0;

it("has all the steps of a release to go through", () => {
  expect(steps).toEqual(expect.arrayContaining(stages));
  expect(steps.filter((step) => stages.includes(step))).toEqual(stages);
});

describeSandbox("a release that is disturbed", () => {
  beforeAll(async () => {
    await road.remove();
    await road.provision(["release-1", "release-2"]);
    await road.up(road.images["release-1"]);
    serving = 1;
    await host.install();
    const { target } = road.store.progress;
    if (target === undefined) throw new Error("the road has no target");
    prober = new Prober(target, ["/", "/healthz", "/slow?seconds=0.1"]);
  }, 5 * minutes);

  afterAll(async () => {
    await prober.stop();
    await road.remove();
  }, 2 * minutes);

  describe.each(steps)("in step %s", (step) => {
    it.each(["begin", "end"] as const)(
      "is put in order at once when it is killed at its %s",
      async (moment) => {
        await host.plan(step, moment, "kill");
        const release = nextNumber();
        const { status, failure } = await sendRelease(road, release);
        const behind = isBehindSwitch(step, moment);
        const became = behind ? "finished: it serves" : "taken back";
        expect(failure).toMatchObject({
          code: "killed",
          message: `release ${release} was killed in step ${step} and has been ${became}`,
          serves: behind ? release : serving,
        });
        expect(status).toBe(12);
        await expectServing(behind ? release : serving);
      },
      minutes,
    );

    it(
      "goes on by itself when its connection is cut",
      async () => {
        await host.plan(step, "begin", "hold");
        const release = nextNumber();
        const sent = sendRelease(road, release);
        sent.catch(() => undefined);
        await host.held();
        await host.cutSsh();
        await expect(sent).rejects.toThrow();
        await host.go();
        await expectServing(release);
      },
      minutes,
    );

    it(
      "goes on by itself when the program is killed, and the next run agrees with it",
      async () => {
        await host.plan(step, "begin", "hold");
        const up = road.up(road.images[last() % 2 === 0 ? "release-1" : "release-2"]);
        up.catch(() => undefined);
        await host.held();
        host.killProgram();
        await expect(up).rejects.toThrow(/SIGKILL/);
        // It comes while the first one is still there, and has to wait for it.
        const again = road.again({});
        await host.go();
        expect((await again).seconds).toEqual({});
        await expectServing(last());
      },
      minutes,
    );
  });
});

const last = (): number => road.store.progress.lastRelease;

function nextNumber(): number {
  road.store.update({ lastRelease: last() + 1 });
  return last();
}

function isBehindSwitch(step: string, moment: Moment): boolean {
  const [at, turn] = [steps.indexOf(step), steps.indexOf("switch")];
  return at > turn || (at === turn && moment === "end");
}

/** The release serves, nothing but it and the one before has answered, nothing failed, and nothing else is there. */
async function expectServing(release: number): Promise<void> {
  const before = serving;
  serving = release;
  await host.quiet();
  const seen = await prober.take();
  expect(seen.failures).toEqual([]);
  expect(seen.releases.filter((each) => each !== before && each !== release)).toEqual([]);
  const answer = await fetch(road.url("/healthz"));
  expect([answer.status, answer.headers.get("x-slipway-release")]).toEqual([200, String(release)]);
  expect(await host.leftovers()).toEqual([]);
}
