// An app that cannot run twice: it holds a lock on its data, and a second one would not start. Each of its releases is
// killed in another step, in the order that they have for it, under a light load that waits instead of failing.
import { execFileSync } from "node:child_process";
import path from "node:path";
import { heldLimitSeconds } from "../../../cli/rehearse/load/plan";
import { FaultyHost } from "../faults/host";
import { sendRelease } from "../faults/payload";
import { Prober } from "../faults/prober";
import { fixtureApp, Road } from "../road/road";
import { describeSandbox } from "../support";

const minutes = 60_000;
const releaseScript = path.resolve(__dirname, "../../../components/release/scripts/release.sh");
const steps = execFileSync("bash", [releaseScript, "--steps", "recreate"], { encoding: "utf8" })
  .trim()
  .split("\n");

const road = new Road({ name: "ledger", app: fixtureApp("ledger") });
const host = new FaultyHost(road, "ledger");
let prober: Prober;
let serving = 1;

it("retires the old release before the new one touches its data", () => {
  const at = (step: string): number => steps.indexOf(step);
  expect(at("backup")).toBeLessThan(at("retire"));
  expect(at("retire")).toBeLessThan(at("migrate"));
  expect(at("gate")).toBeLessThan(at("switch"));
});

describeSandbox("the release of an app that cannot run twice", () => {
  beforeAll(async () => {
    await road.remove();
    await road.provision(["release-1"]);
    await road.up(road.images["release-1"]);
    await host.install();
    const { target } = road.store.progress;
    if (target === undefined) throw new Error("the road has no target");
    prober = new Prober(target, ["/", "/up"], heldLimitSeconds);
  }, 5 * minutes);

  afterAll(async () => {
    await prober.stop();
    await road.remove();
  }, 2 * minutes);

  it.each(steps.slice(steps.indexOf("retire")))(
    "is put in order when it is killed as it comes to step %s",
    async (step) => {
      await host.plan(step, "begin", "kill");
      const release = serving + 1;
      const { failure } = await sendRelease(road, release);
      const behind = steps.indexOf(step) > steps.indexOf("switch");
      expect(failure).toMatchObject({ code: "killed", serves: behind ? release : serving });
      await expectServing(behind ? release : serving);
    },
    minutes,
  );

  it(
    "comes through when nothing disturbs it",
    async () => {
      const release = serving + 1;
      expect(await sendRelease(road, release)).toMatchObject({ status: 0 });
      await expectServing(release);
    },
    minutes,
  );
});

/** The release serves, nothing but it and the one before has answered, nothing failed, and nothing else is there. */
async function expectServing(release: number): Promise<void> {
  const before = serving;
  serving = release;
  await host.quiet();
  const seen = await prober.take();
  expect(seen.failures).toEqual([]);
  expect(seen.releases.filter((each) => each !== before && each !== release)).toEqual([]);
  const answer = await fetch(road.url("/up"));
  expect([answer.status, answer.headers.get("x-slipway-release")]).toEqual([200, String(release)]);
  expect(await host.leftovers()).toEqual([]);
}
