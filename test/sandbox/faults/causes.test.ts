// What goes wrong with a release for a reason: each has its code and exit status, leaves the old release serving with no
// failed request, and does not stand in the way of the next one. docs/recovery.md has the cures. Not proven here: a clock
// that jumps, which a container cannot have (see test/components/release/clock.test.ts), and the kernel's own end of a process for want of memory.
import type { UpFailed } from "../../../cli/rehearse/world";
import { docker } from "../../../cli/sandbox/bodies/docker";
import { openSandbox } from "../../../cli/sandbox/local";
import { fixtureApp, Road } from "../road/road";
import { describeSandbox } from "../support";
import { pushFaultyImage } from "./faultyImage";
import { FaultyHost, waitFor } from "./host";
import { sendRelease, type Changes, type Sent } from "./payload";
import { Prober } from "./prober";

const minutes = 60_000;
const road = new Road({
  name: "causes",
  app: fixtureApp("notes"),
  // Otherwise requests that wait for a database which is away take the place of those that need none.
  config: { "slipway:environment": { PGCONNECT_TIMEOUT: "2" } },
});
const host = new FaultyHost(road, "notes");
let prober: Prober;
let faulty = "";
let serving = 0;

describeSandbox("a release with a fault", () => {
  beforeAll(async () => {
    await road.remove();
    await road.provision(["release-1", "release-2"]);
    faulty = await pushFaultyImage(road);
    await road.up(road.images["release-1"]);
    serving = 1;
    const { target } = road.store.progress;
    if (target === undefined) throw new Error("the road has no target");
    // No page that asks the database: that goes away as well.
    prober = new Prober(target, ["/slow?seconds=0", "/slow?seconds=0.2"]);
  }, 5 * minutes);

  afterAll(async () => {
    await prober.stop();
    await road.remove();
  }, 2 * minutes);

  afterEach(async () => {
    const seen = await prober.take();
    expect(seen.failures).toEqual([]);
    await ship();
    expect(await host.leftovers()).toEqual([]);
    expect(await prober.take()).toMatchObject({ failures: [] });
  }, minutes);

  // The image of the fault is not on the host before it can be fetched.
  it.each<[string, string, string, RegExp]>([
    [
      "the registry is down",
      "echo 127.0.0.1 registry.sandbox >>/etc/hosts",
      "registry-away",
      /registry.sandbox:5000 does not answer/,
    ],
    ["the password of the registry is wrong", "true", "registry-refused", /refuses the user or its password/],
    ["the digest does not exist", "true", "image-missing", /the registry has no .*@sha256:0{64}/],
    [
      "the disk fills up while it is fetched",
      "mount -t tmpfs -o nr_inodes=1 tmpfs /var/lib/docker/tmp",
      "disk-full",
      /the disk is full/,
    ],
  ])(
    "is refused when %s",
    async (_, prepare, code, message) => {
      await road.onHost(prepare);
      const image = code === "image-missing" ? faulty.replace(/[0-9a-f]{64}$/, "0".repeat(64)) : faulty;
      const replace = {
        [shippedImage()]: image,
        ...(code === "registry-refused" && { '"password":"': '"password":"not-' }),
      };
      const sent = await send({ replace });
      await road.onHost(
        "umount /var/lib/docker/tmp 2>/dev/null; sed '/ registry.sandbox$/d' /etc/hosts >/tmp/hosts; cat /tmp/hosts >/etc/hosts",
      );
      expectRefused(sent, { step: "fetch", status: 21, code, message });
    },
    minutes,
  );

  it.each<[string, string, RegExp, Changes]>([
    ["there is too little room for it", "disk-full", /MiB are needed$/, { options: { minFreeMib: 1e9 } }],
    [
      "there is no memory for two releases",
      "memory-low",
      /a second release beside the first, about 1000000\d\d\d MiB are needed$/,
      { options: { minFreeMemoryMib: 1e9 } },
    ],
    [
      "compose does not know a key",
      "compose-invalid",
      /refuses the compose file/,
      { replace: { "env_file:": "env_fil:" } },
    ],
    [
      "compose lacks a variable that it needs",
      "compose-invalid",
      /refuses the compose file/,
      { replace: { "env_file:": "labels: ['x=${PAYMENT_KEY:?}']\n    env_file:" } },
    ],
  ])(
    "is refused before anything is touched when %s",
    async (_, code, message, changes) => {
      expectRefused(await send(changes), { step: "preflight", status: 20, code, message });
    },
    minutes,
  );

  it.each([
    ["is no YAML", "broken.yml", /compose: line 4/],
    ["calls a variable required that has no value", "required.yml", /PAYMENT_KEY.*required/],
  ])(
    "is refused by the program when its compose file %s, and nothing is sent",
    async (_, file, message) => {
      const before = await road.onHost("ls /var/lib/slipway/notes/log");
      const app = { directory: road.description.directory, compose: `../../../sandbox/faults/${file}` };
      const failure = await road.again({ "slipway:app": app }).then(
        () => undefined,
        (error: UpFailed) => error,
      );
      expect(failure?.message).toMatch(/was given what it cannot ship/);
      expect(failure?.details.log?.text).toMatch(message);
      expect(await road.onHost("ls /var/lib/slipway/notes/log")).toBe(before);
    },
    minutes,
  );

  it.each<[string, string, number, string, RegExp, RegExp, Changes]>([
    [
      "its migration fails",
      "migrate",
      23,
      "migrate-failed",
      /the migration failed/,
      /RuntimeError: this migration fails/,
      { environment: { DJANGO_SETTINGS_MODULE: "faulty_settings" } },
    ],
    [
      "it ends at its start",
      "gate",
      25,
      "start-crash",
      /^app crashes at start$/,
      /unrecognized arguments: --nonsense/,
      { environment: { GUNICORN_CMD_ARGS: "--nonsense" } },
    ],
    [
      "a variable is missing that it reads",
      "gate",
      25,
      "start-crash",
      /^app crashes at start$/,
      /KeyError: 'SECRET_KEY'/,
      { environment: { SECRET_KEY: undefined }, spec: { migrate: null } },
    ],
    [
      "it takes longer than it may",
      "gate",
      25,
      "gate-timeout",
      /did not answer within 3 s \(last status 000\)/,
      /Listening|running|starting/i,
      {
        environment: { START_SECONDS: "30" },
        spec: { health: { path: "/healthz", host: "x", timeoutSeconds: 3 } },
      },
    ],
  ])(
    "is taken back when %s, with its own words",
    async (_, step, status, code, message, words, changes) => {
      const sent = await send({ ...changes, replace: { [shippedImage()]: faulty } });
      expectRefused(sent, { step, status, code, message });
      expect(sent.failure?.log.join("\n")).toMatch(words);
    },
    minutes,
  );

  it(
    "is taken back when the database is away",
    async () => {
      const { stack, directory: sandboxDirectory } = road;
      const [database] = await openSandbox({ stack, sandboxDirectory }, () => undefined).members("database");
      await docker(["stop", database?.container ?? ""]);
      const sent = await send();
      await docker(["start", database?.container ?? ""]);
      expectRefused(sent, {
        step: "migrate",
        status: 23,
        code: "migrate-failed",
        message: /the migration failed/,
      });
      expect(sent.failure?.log.join("\n")).toMatch(/OperationalError/);
    },
    minutes,
  );

  it(
    "is waited for when it takes 60 seconds to start, and a second one is refused by the name of the first",
    async () => {
      const first = nextNumber();
      const health = { path: "/healthz", host: "x", timeoutSeconds: 100 };
      const changes = {
        environment: { START_SECONDS: "60" },
        spec: { health },
        replace: { [shippedImage()]: faulty },
      };
      const slow = sendRelease(road, first, changes);
      await road.onHost(
        waitFor('[ "$(jq -r .step /var/lib/slipway/notes/journal.json 2>/dev/null)" = gate ]', 30),
      );
      const { status, failure } = await send({ options: { lockTimeoutSeconds: 1 } });
      expect([status, failure?.code]).toEqual([10, "busy"]);
      expect(failure?.message).toMatch(
        new RegExp(
          `^another run holds the lock: release ${first} from deploy@[0-9.]+, process \\d+, since 20`,
        ),
      );
      expect((await slow).status).toBe(0);
      expect((await prober.take()).failures).toEqual([]);
      serving = first;
    },
    3 * minutes,
  );

  it.each([
    ["loses its power", "start", "end"],
    ["loses its power", "drain", "begin"],
    ["is rebooted", "gate", "begin"],
  ] as const)(
    "serves again by itself, and is in order, when the host %s in step %s",
    async (how, step, moment) => {
      const { container } = await road.host();
      await host.install();
      await host.plan(step, moment, "hold");
      const release = nextNumber();
      const sent = sendRelease(road, release).catch(() => undefined);
      await host.held();
      if (how === "loses its power") {
        await docker(["kill", "--signal", "KILL", container]);
        await docker(["start", container]);
      } else {
        await docker(["restart", "--time", "60", container]);
      }
      await sent;
      if (step === "drain") serving = release;
      const url = road.url("/healthz");
      await road.onHost(waitFor(`curl --silent --fail --max-time 2 --output /dev/null ${url}`, 60));
      await road.onHost(waitFor("[ ! -e /var/lib/slipway/notes/journal.json ]", 30));
      await host.quiet();
      await road.onHost(waitFor("! systemctl is-active --quiet slipway-recover-notes", 30));
      await prober.take();
      const answer = await fetch(url);
      expect([answer.status, answer.headers.get("x-slipway-release")]).toEqual([200, String(serving)]);
      expect(await host.leftovers()).toEqual([]);
    },
    2 * minutes,
  );
});

function nextNumber(): number {
  const lastRelease = road.store.progress.lastRelease + 1;
  road.store.update({ lastRelease });
  return lastRelease;
}

function send(changes: Changes = {}): Promise<Sent> {
  return sendRelease(road, nextNumber(), changes);
}

/** The image that the program has shipped. */
function shippedImage(): string {
  return Object.values(road.images["release-1"])[0] ?? "";
}

interface Refusal {
  readonly step: string;
  readonly status: number;
  readonly code: string;
  readonly message: RegExp;
}

function expectRefused({ status, failure, output }: Sent, expected: Refusal): void {
  if (failure === undefined) throw new Error(`no receipt of a failure: ${output.slice(-500)}`);
  expect({ step: failure.step, status, code: failure.code, serves: failure.serves }).toEqual({
    step: expected.step,
    status: expected.status,
    code: expected.code,
    serves: serving,
  });
  expect(failure.message).toMatch(expected.message);
}

/** A release with nothing wrong in it. */
async function ship(): Promise<void> {
  const { status, output } = await send();
  expect([status, output]).toEqual([0, expect.stringContaining('"result":"released"')]);
  serving = road.store.progress.lastRelease;
}
