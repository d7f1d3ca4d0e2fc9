// The day-2 commands as somebody types them, over real SSH, on one small app. Not proven here: that the Pulumi CLI hands
// out the access to a real stack; see the unit tests for what is asked of it.
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fixtureApp, Road } from "../road/road";
import { describeSandbox } from "../support";
import { Commands } from "./commands";

const minutes = 60_000;
const road = new Road({ name: "day2", app: fixtureApp("notes") });

const commands = new Commands(road.directory);
const slipway = (words: readonly string[], stdin?: string) => commands.run(words, stdin);
const aCommandRuns =
  'for _ in $(seq 100); do [ -n "$(docker ps -q --filter label=slipway.run)" ] && break; sleep 0.1; done';
const containers = () => road.onHost("docker ps --quiet --no-trunc | sort");

describeSandbox("the day-2 commands", () => {
  beforeAll(async () => {
    await road.remove();
    await road.provision(["release-1", "release-2"]);
    await road.up(road.images["release-1"]);
    await road.up(road.images["release-2"]);
  }, 8 * minutes);
  afterAll(() => road.remove(), 2 * minutes);

  it(
    "tell what serves, that it is healthy, and what can be gone back to",
    async () => {
      const { code, stdout } = await slipway(["status", "--json"]);
      expect(code).toBe(0);
      const status = JSON.parse(stdout) as { services: object[] };
      expect(status).toMatchObject({ release: 2, healthy: true, edge: { status: 200 }, interrupted: null });
      expect(status.services).toEqual([
        expect.objectContaining({ service: "app", state: "running", image: road.images["release-2"]["app"] }),
      ]);
      const releases = await slipway(["releases", "--json"]);
      expect(JSON.parse(releases.stdout)).toEqual([
        expect.objectContaining({ release: 2, result: "released", local: true }),
        expect.objectContaining({ release: 1, result: "released", local: true }),
      ]);
    },
    minutes,
  );

  it(
    "run a management command with its exit code, and any argument as it is",
    async () => {
      expect(await slipway(["run", "--", "check"])).toMatchObject({ code: 0, stderr: "" });
      const odd = ["a b", "it's", '$HOME "x" `id`', "", "-x", "new\nline", "ünï"];
      const echo =
        "import json, sys; print(json.dumps([sys.argv[1:], sys.stdin.read()])); print('aside', file=sys.stderr); sys.exit(7)";
      const { code, stdout, stderr } = await slipway(
        ["run", "--raw", "--", "python", "-c", echo, ...odd],
        "piped in",
      );
      expect({ code, stderr, read: JSON.parse(stdout) as unknown }).toEqual({
        code: 7,
        stderr: "aside\n",
        read: [odd, "piped in"],
      });
      expect(await road.onHost("docker ps --all --quiet --filter label=slipway.run")).toBe("");
    },
    minutes,
  );

  it(
    "carry a Ctrl-C over where there is no terminal",
    async () => {
      const { child, ended } = commands.start([
        "run",
        "--raw",
        "--",
        "python",
        "-c",
        "import time; time.sleep(60)",
      ]);
      await road.onHost(aCommandRuns);
      child.kill("SIGINT");
      expect((await ended).code).toBe(130);
      expect(await road.onHost("docker ps --all --quiet --filter label=slipway.run")).toBe("");
    },
    minutes,
  );

  it(
    "give a terminal where there is one",
    async () => {
      const { code, stdout } = await commands.inTerminal([
        "exec",
        "--",
        "sh",
        "-c",
        "tty && stty size; exit 5",
      ]);
      expect(stdout).toMatch(/\/dev\/pts\/\d+\r\n30 97\r\n/);
      expect(code).toBe(5);
    },
    minutes,
  );

  it(
    "show the log of the app, and of a release's run",
    async () => {
      expect((await slipway(["logs", "--tail", "50"])).stdout).toContain("Booting worker");
      expect((await slipway(["logs", "--release", "2"])).stdout).toContain("== switch");
      expect(await slipway(["logs", "--release", "99"])).toMatchObject({
        code: 125,
        stderr: expect.stringMatching(/no log of a run of release 99\n {2}cure: name one of: 1 2/) as string,
      });
    },
    minutes,
  );

  it(
    "go back on the host at once, while a command that somebody runs goes on; the next up agrees",
    async () => {
      const wait = "import os, sys; sys.stdin.read(); print(os.environ['SLIPWAY_RELEASE'])";
      const running = commands.start(["run", "--raw", "--", "python", "-c", wait]);
      await road.onHost(
        'for _ in $(seq 100); do [ -n "$(docker ps -q --filter label=slipway.run)" ] && break; sleep 0.1; done',
      );

      const { code, stdout } = await slipway(["rollback", "--now"]);
      expect(stdout).toMatch(
        /images of release 1, which are on the host[^]*verdict: safe[^]*release 3 serves after/,
      );
      expect(code).toBe(0);
      running.child.stdin?.end();
      expect(await running.ended).toMatchObject({ code: 0, stdout: "2\n" });

      const before = await containers();
      road.store.update({ lastRelease: 3, serving: 3 });
      expect((await road.again({})).changed).toBe(1);
      expect(await containers()).toBe(before);
      expect(
        await road.onHost("tail -n 1 /var/lib/slipway/notes/receipts.jsonl | jq -c '[.release, .result]'"),
      ).toBe('[3,"released"]');
      expect((await slipway(["status"])).stdout).toContain("notes of stack staging: healthy");
    },
    3 * minutes,
  );

  it(
    "write a rollback down for the next up",
    async () => {
      const { code, stdout } = await slipway(["rollback"]);
      expect(code).toBe(0);
      expect(stdout).toContain("release 4 (was 3)");
      expect(readFileSync(path.join(road.directory, "releases.yaml"), "utf8")).toContain(
        road.images["release-2"]["app"],
      );
      expect((await slipway(["status"])).stdout).toContain("says release 4, the host runs 3");
      road.store.update({ lastRelease: 4 });
      await road.again({});
      expect(JSON.parse((await slipway(["status", "--json"])).stdout)).toMatchObject({
        release: 4,
        findings: [],
      });
    },
    2 * minutes,
  );

  it(
    "bring files and a database in a volume back, and leave both alone when the backup is no good",
    async () => {
      const directory = mkdtempSync(path.join(tmpdir(), "slipway-backup-"));
      try {
        const [good, bad] = [path.join(directory, "good"), path.join(directory, "bad")];
        await python(seed);
        expect((await slipway(["backup", "--output", good])).code).toBe(0);
        await python(spoil);
        const spoiled = await python(look);
        expect(spoiled).toBe("[42, 43] ['app.sqlite3', 'new']");

        await slipway(["backup", "--output", bad]);
        replacePart(bad, "this is no tar");
        expect(await slipway(["restore", bad, "--yes"])).toMatchObject({
          code: 1,
          stderr: expect.stringContaining("what was there is back") as string,
        });
        writeFileSync(path.join(bad, "notes_uploads.tar"), "changed since");
        expect(await slipway(["restore", bad, "--yes"])).toMatchObject({ code: 2 });
        expect(await slipway(["restore", good])).toMatchObject({ code: 2 });
        expect(await python(look)).toBe(spoiled);

        expect(await slipway(["restore", good, "--yes"])).toMatchObject({ code: 0 });
        expect(await python(look)).toBe("[42] ['app.sqlite3', 'kept']");
        expect((await slipway(["status"])).code).toBe(0);
      } finally {
        rmSync(directory, { recursive: true });
      }
    },
    4 * minutes,
  );
});

async function python(text: string): Promise<string> {
  const { code, stdout, stderr } = await slipway(
    ["exec", "--", "python", "-"],
    `import os, sqlite3\n${text}`,
  );
  if (code !== 0) throw new Error(stderr);
  return stdout.trim();
}

// The row is in the log beside the database when it is copied: who copies files alone loses it.
const seed = `
open("/srv/uploads/kept", "w").write("precious")
database = sqlite3.connect("/srv/uploads/app.sqlite3")
database.execute("pragma journal_mode=wal")
database.execute("create table rows (x)")
database.execute("insert into rows values (42)")
database.commit()
os._exit(0)`;
const spoil = `
os.remove("/srv/uploads/kept")
open("/srv/uploads/new", "w").write("later")
database = sqlite3.connect("/srv/uploads/app.sqlite3")
database.execute("insert into rows values (43)")
database.commit()
database.close()`;
const look = `
database = sqlite3.connect("/srv/uploads/app.sqlite3")
rows = [x for x, in database.execute("select x from rows order by x")]
database.close()
print(rows, sorted(each for each in os.listdir("/srv/uploads") if "-" not in each))`;

/** A backup whose hashes are right and whose content is not. */
function replacePart(directory: string, content: string): void {
  const file = path.join(directory, "manifest.json");
  const manifest = JSON.parse(readFileSync(file, "utf8")) as { parts: { file: string; sha256: string }[] };
  const [part] = manifest.parts;
  if (part === undefined) throw new Error("the backup has no part");
  part.sha256 = createHash("sha256").update(content).digest("hex");
  writeFileSync(path.join(directory, part.file), content);
  writeFileSync(file, JSON.stringify(manifest));
}
