import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { CliError } from "../../../cli/errors";
import { rehearse, type RehearseOptions } from "../../../cli/rehearse/command";
import type { Progress } from "../../../cli/rehearse/progress";
import { UpFailed } from "../../../cli/rehearse/world";
import { digest, FakeWorld, type Mischief } from "./fakeWorld";
import { LoadServer } from "./loadServer";

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly json: {
    ok: boolean;
    steps: { name: string; ok: boolean; seconds: number }[];
    releases: {
      name: string;
      ok: boolean;
      requests: number;
      failed: number;
      secondsToServe: number | null;
    }[];
    urls: string[];
  };
}

const plain: Progress = async (groups) => {
  for (const group of groups) await Promise.all(group.map((step) => step.run(() => undefined)));
};

let project: string;
let server: LoadServer;
let world: FakeWorld;
beforeEach(async () => {
  project = mkdtempSync(path.join(tmpdir(), "slipway-rehearse-"));
  writeFileSync(path.join(project, "Pulumi.yaml"), "name: shop\n");
  writeFileSync(path.join(project, "Pulumi.staging.yaml"), "config:\n  slipway:app: {directory: app}\n");
  mkdirSync(path.join(project, "app"));
  writeFileSync(path.join(project, "app/Dockerfile"), "FROM python\n");
  writeFileSync(
    path.join(project, "app/slipway.yaml"),
    "ingress: {service: web}\nhealth: {path: /healthz}\nbuild: {web: {}}\n" +
      'rehearse: {get: [{path: /, contains: "release {release}"}], static: [/], slow: /slow, upload: {path: /upload, field: file}}\n',
  );
  server = await LoadServer.app();
  server.release = 0;
  server.files.set("/static/site.1a2b.css", Buffer.from("body {}"));
});
afterEach(async () => {
  await server.stop();
  rmSync(project, { recursive: true });
  jest.restoreAllMocks();
});

function makeWorld(mischief: Mischief = {}): FakeWorld {
  return (world = new FakeWorld(server, mischief));
}

async function run(options: Partial<RehearseOptions> = {}): Promise<Outcome> {
  const out: string[] = [];
  const err: string[] = [];
  jest.spyOn(console, "log").mockImplementation((line: string) => void out.push(line));
  jest.spyOn(console, "error").mockImplementation((line: string) => void err.push(line));
  const code = await rehearse(
    { stack: "staging", keep: false, down: false, json: true, ...options },
    {
      makeWorld: () => world,
      remove: (removal) => world.remove(removal),
      progress: plain,
      directory: project,
      load: {
        "release-1": { settleSeconds: 0.4, requestsPerSecond: 1000, minRequests: 50 },
        "release-2": { settleSeconds: 0.4, requestsPerSecond: 1000, minRequests: 200 },
        broken: { settleSeconds: 0.4, requestsPerSecond: 1000, minRequests: 100 },
        rollback: { settleSeconds: 0.4, requestsPerSecond: 1000, minRequests: 100 },
      },
    },
  );
  return {
    code,
    stdout: out.join("\n"),
    stderr: err.join("\n"),
    json: JSON.parse(out.at(-1) ?? "") as Outcome["json"],
  };
}

describe("a rehearsal in which all goes as expected", () => {
  it("ships 1 and 2, sees the broken one refused, and goes back to 1's images under a new number", async () => {
    makeWorld();
    const { code, json, stdout, stderr } = await run();
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(json).toMatchObject({ ok: true, urls: [] });
    expect(json.steps.map(({ name, ok }) => [name, ok])).toEqual([
      ["provision", true],
      ["build", true],
      ["release-1", true],
      ["release-2", true],
      ["broken", true],
      ["rollback", true],
    ]);
    expect(json.releases).toMatchObject([
      { name: "release-1", expected: "serves", ok: true, failed: 0 },
      { name: "release-2", expected: "serves", ok: true, failed: 0 },
      { name: "broken", expected: "refused", ok: true, failed: 0, secondsToServe: null },
      { name: "rollback", expected: "serves", ok: true, failed: 0 },
    ]);
    expect(json.releases[1]?.requests).toBeGreaterThanOrEqual(200);
    expect(world.calls.filter((call) => call.startsWith("up"))).toEqual([
      "up 0",
      "up 1",
      "up 2",
      "up 3",
      "up 4",
    ]);
    expect(world.release).toMatchObject({ number: 4, images: { web: digest("release-1", "web") } });
    expect(stdout).toContain("release 3 refused (gate-refused), 2 serves on");
    expect(world.calls.at(-1)).toBe("down");
  }, 60_000);
});

describe("one step at a time", () => {
  it("performs nothing when it provisions a second time, and says so", async () => {
    makeWorld();
    const first = await run({ only: "provision" });
    expect(first.stdout).toContain("7 resources changed");
    const second = await run({ only: "provision" });
    expect(second.stdout).toContain("nothing to do: all 8 resources are as they should be");
    expect(second.stdout).toContain("slipway rehearse --stack staging --down");
    expect(world.calls).not.toContain("down");
  });

  it("goes on where the last one ended, and prints where the app answers", async () => {
    makeWorld();
    for (const only of ["provision", "build"] as const) expect((await run({ only })).code).toBe(0);
    const { code, json, stdout } = await run({ only: "release-1" });
    expect(code).toBe(0);
    expect(json.urls).toEqual([server.url]);
    expect(stdout).toContain(`The app answers at ${server.url}`);
  }, 20_000);

  it.each([
    ["release-1", "slipway rehearse --only build"],
    ["release-2", "slipway rehearse --only build"],
  ] as const)("says what has to come before %s", async (only, cure) => {
    makeWorld();
    const { code, json, stderr } = await run({ only });
    expect(code).toBe(1);
    expect(json.ok).toBe(false);
    expect(stderr).toContain(`cure: run \`${cure}\` first`);
  });

  it("asks the host what serves, after a run that was killed before it had written it down", async () => {
    makeWorld();
    for (const only of ["provision", "build", "release-1"] as const)
      expect((await run({ only })).code).toBe(0);
    server.release = 2;
    const file = path.join(project, ".sandbox/staging/rehearsal.json");
    const progress = JSON.parse(readFileSync(file, "utf8")) as object;
    writeFileSync(file, JSON.stringify({ ...progress, lastRelease: 2, serving: 1 }));
    const { code, json } = await run({ only: "release-2" });
    expect(json.releases).toMatchObject([{ name: "release-2", ok: true, failed: 0 }]);
    expect(code).toBe(0);
  }, 30_000);

  it("begins anew when the sandbox of an earlier run is gone", async () => {
    makeWorld();
    for (const only of ["provision", "build", "release-1"] as const)
      expect((await run({ only })).code).toBe(0);
    makeWorld();
    server.release = 0;
    expect((await run({ only: "provision" })).code).toBe(0);
    expect(world.calls).toEqual(["prepare", "up 0"]);
    expect((await run({ only: "release-1" })).stderr).toContain('the images of "release-1" are not built');
  }, 20_000);

  it("refuses to mix two apps in one sandbox", async () => {
    makeWorld();
    await run({ only: "provision" });
    const other = path.join(project, "other");
    mkdirSync(other);
    writeFileSync(path.join(other, "Dockerfile"), "FROM python\n");
    writeFileSync(path.join(other, "slipway.yaml"), readFileSync(path.join(project, "app/slipway.yaml")));
    await expect(run({ app: other })).rejects.toThrow(
      'the sandbox of stack "staging" is in use for another app',
    );
  });

  it("takes everything down, and names the cache that stays", async () => {
    makeWorld();
    const { code, stdout } = await run({ down: true });
    expect(code).toBe(0);
    expect(world.calls).toEqual(["down with images"]);
    expect(stdout).toContain("left: the images slipway-sandbox/*, a cache for the next rehearsal");
  });
});

describe("a rehearsal in which something goes wrong", () => {
  async function failing(mischief: Mischief): Promise<Outcome> {
    makeWorld(mischief);
    const outcome = await run();
    expect(outcome.code).toBe(1);
    expect(outcome.json.ok).toBe(false);
    expect(outcome.stderr).toContain("cure: ");
    expect(world.calls.at(-1)).toBe("down");
    return outcome;
  }

  it("stops at a stack that cannot be provisioned, with the log and the cure", async () => {
    const log = { title: "tail of cloud-init's log", text: "no such package" };
    const { json, stderr } = await failing({
      provision: new UpFailed("the host did not boot", { cure: "look", log }),
    });
    expect(json.steps.find(({ name }) => name === "provision")).toMatchObject({ ok: false });
    expect(json.releases).toEqual([]);
    expect(stderr).toMatch(
      /the host did not boot\n.*tail of cloud-init's log:\n.*no such package\n.*cure: look/,
    );
  });

  it("does not leave the build waiting when the registry does not come up", async () => {
    const { stderr } = await failing({ prepare: new CliError("no Docker", { cure: "install it" }) });
    expect(stderr).toContain("no Docker");
  });

  it("tells what a build said last, and where the whole log is", async () => {
    const { stderr } = await failing({
      build: new Error("building web failed:\nCollecting django\nNo matching distribution"),
    });
    expect(stderr).toMatch(
      /build: building web failed:\n {2}it said:\n.*Collecting django\n.*No matching distribution\n {2}cure: /,
    );
    const logFile = path.join(project, ".sandbox/staging.log");
    expect(stderr).toContain(`whole log: ${logFile}`);
    expect(readFileSync(logFile, "utf8")).toContain("No matching distribution");
  });

  it("tells what was found out, also when the sandbox cannot be removed", async () => {
    makeWorld({ provision: new UpFailed("the host did not boot") });
    world.remove = () => Promise.reject(new Error("network has active endpoints"));
    const { code, stdout, json } = await run();
    expect(code).toBe(1);
    expect(json.ok).toBe(false);
    expect(stdout).toMatch(
      /could not be removed: .*active endpoints\nTry again with: slipway rehearse --stack staging --down/,
    );
  });

  it("tells why a release that was to serve was refused", async () => {
    const failure = new UpFailed("web crashes at start", {
      code: "start-crash",
      cure: "read its log",
      log: { title: "the host's log of release 2", text: "ImportError: no module named shop" },
    });
    const { json, stderr } = await failing({ refuse: { release: 2, failure } });
    expect(json.releases.map(({ name, ok }) => [name, ok])).toEqual([
      ["release-1", true],
      ["release-2", false],
    ]);
    expect(stderr).toMatch(
      /release 2 was to serve, but was refused: web crashes at start[\s\S]*ImportError[\s\S]*cure: read its log/,
    );
  }, 30_000);

  it("fails when a request was dropped, and says which failures were met", async () => {
    const { json, stderr } = await failing({ drops: true });
    expect(json.releases.at(-1)).toMatchObject({ name: "release-2", ok: false });
    expect(stderr).toMatch(/\d+ of \d+ requests failed\n[\s\S]*x status 502 from \//);
  }, 30_000);

  it("fails when the old release's static files are gone", async () => {
    const { stderr } = await failing({ losesAssets: true });
    expect(stderr).toContain("/static/site.1a2b.css: status 404");
    expect(stderr).toContain("perReleaseVolumes");
  }, 30_000);

  it("fails when an upload is gone", async () => {
    const { stderr } = await failing({ losesUploads: true });
    expect(stderr).toMatch(/\/media\/\d+: status 404/);
    expect(stderr).toContain("let uploads go to a named volume");
  }, 30_000);

  it("fails when the broken release is let through", async () => {
    const { json, stderr } = await failing({ gateSleeps: true });
    expect(json.releases.at(-1)).toMatchObject({ name: "broken", ok: false });
    expect(stderr).toContain("was let through");
  }, 30_000);

  it("fails when the broken release leaves a container behind", async () => {
    const { stderr } = await failing({ leftover: true });
    expect(stderr).toContain(`received: b2 shop-nginx-2 ${digest("any", "nginx")}`);
  }, 30_000);
});

describe("Ctrl-C", () => {
  it.each(["up 0", "up 2"])(
    "ends what is under way, cleans up and exits with 130: %s",
    async (at) => {
      makeWorld();
      const up = world.up.bind(world);
      world.up = async (watch) => {
        if (`up ${world.release.number}` !== at) return up(watch);
        const aborted = new Promise((resolve) => watch.signal.addEventListener("abort", resolve));
        process.emit("SIGINT");
        await aborted;
        throw new UpFailed("not begun: the run was interrupted");
      };
      const { code, json, stderr } = await run();
      expect(code).toBe(130);
      expect(json.ok).toBe(false);
      expect(stderr).toContain("Press Ctrl-C again to leave everything as it is");
      expect(world.calls.at(-1)).toBe("down");
    },
    20_000,
  );
});
