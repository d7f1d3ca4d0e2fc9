// `slipway rehearse --app` with apps that it was not made for, under a load that a small machine carries. The app with
// everything in its compose file has a test of its own beside this one, and one without nginx is used by many others.
import path from "node:path";
import { rehearse } from "../../../cli/rehearse/command";
import { LocalWorld } from "../../../cli/rehearse/localWorld";
import type { Progress } from "../../../cli/rehearse/progress";
import { removeSandbox } from "../../../cli/rehearse/removal";
import type { RehearsalResult } from "../../../cli/rehearse/results";
import type { LoadSizes } from "../../../cli/rehearse/steps";
import { fixtureApp } from "../road/road";
import { describeSandbox } from "../support";

const minutes = 60_000;
const stack = "staging";
const project = path.resolve(__dirname, "../../..");
const load: LoadSizes = {
  "release-1": { requestsPerSecond: 60, minRequests: 60 },
  "release-2": { requestsPerSecond: 100, minRequests: 600 },
  broken: { requestsPerSecond: 40, minRequests: 100 },
  rollback: { requestsPerSecond: 40, minRequests: 100 },
};

const silent: Progress = async (groups) => {
  for (const group of groups) await Promise.all(group.map((step) => step.run(() => undefined)));
};

/** Runs the command and gives what it prints for machines. */
async function rehearsed(app: string): Promise<RehearsalResult> {
  const printed = jest.spyOn(console, "log").mockImplementation(() => undefined);
  const complained = jest.spyOn(console, "error").mockImplementation(() => undefined);
  try {
    const code = await rehearse(
      { stack, app: fixtureApp(app), keep: false, down: false, json: true },
      {
        makeWorld: (args) => new LocalWorld(args),
        remove: (removal) => removeSandbox({ ...removal, images: true }),
        progress: silent,
        directory: project,
        load,
      },
    );
    if (code !== 0) throw new Error(complained.mock.calls.flat().join("\n"));
    return JSON.parse(String(printed.mock.calls.at(-1)?.[0])) as RehearsalResult;
  } finally {
    printed.mockRestore();
    complained.mockRestore();
  }
}

const remove = () => removeSandbox({ stack, directory: path.join(project, ".sandbox", stack), images: true });

describeSandbox("an app of another make is rehearsed, with no failed request:", () => {
  beforeEach(remove, minutes);
  afterAll(remove, minutes);

  it.each([
    ["ASGI behind nginx, settings by module, POSTGRES_*", "clinic", 500],
    // Requests wait while the old release stops and the new one starts.
    ["SQLite, which cannot run twice", "ledger", 25_000],
  ])(
    "%s",
    async (_, app, longestGapMs) => {
      const { releases } = await rehearsed(app);
      expect(releases.map(({ name, ok, failed }) => ({ name, ok, failed }))).toEqual(
        ["release-1", "release-2", "broken", "rollback"].map((name) => ({ name, ok: true, failed: 0 })),
      );
      for (const release of releases) expect(release.longestGapMs).toBeLessThan(longestGapMs);
    },
    4 * minutes,
  );
});
