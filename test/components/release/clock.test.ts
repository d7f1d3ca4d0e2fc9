// A host whose clock is wrong, or is set while a release goes out. The waits are run as they are, with a clock that jumps
// by a day each time it is looked at; a container cannot have a clock of its own.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const scripts = path.resolve(__dirname, "../../../components/release/scripts");
let directory = "";

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "slipway-clock-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Runs lines in a shell that has read parts of a release; `say` and `fail` speak on stdout. */
function bash(parts: readonly string[], lines: string): string {
  const read = parts.map((part) => `. ${path.join(scripts, part)}.sh`).join("\n");
  const script = `set -Eeuo pipefail; payload=${directory} app=shop\n${read}\n${lines}`;
  return execFileSync("bash", ["-c", script], { encoding: "utf8" }).trim();
}

const speak = `say() { :; }; fail() { echo "$1"; exit 0; }
  containers() { :; }; stopped_of() { :; }; slot_port() { echo 1; }; carry_static_over() { :; }; start_workers() { :; }`;
const jump = (by: number): string => `SECONDS=$((SECONDS + ${by}))`;

describe("a clock that is set while a release goes out", () => {
  it.each([86_400, -86_400])("by %d s neither ends nor prolongs the wait for the app", (by) => {
    writeFileSync(path.join(directory, "release.json"), '{"health":{"path":"/","timeoutSeconds":2}}');
    const answers = `ask_app() { echo x >>"$payload/asked"; ${jump(by)}; [ "$(wc -l <"$payload/asked")" -lt 4 ] || { echo 200; return; }; echo 000; }`;
    expect(bash(["lib", "gate"], `${speak}\n${answers}\ncolour=blue; step_gate; echo passed`)).toBe("passed");
    const silence = `ask_app() { echo 000; }; sleep() { command sleep "$1"; ${jump(by)}; }`;
    const started = performance.now();
    expect(bash(["lib", "gate"], `${speak}\n${silence}\ncolour=blue; step_gate`)).toBe("gate-timeout");
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it("is no part of any wait or measure of a release", () => {
    const text = (file: string): string => readFileSync(path.join(scripts, file), "utf8");
    const parts = /^for part in (.*); do$/m.exec(text("release.sh"))?.[1]?.split(" ") ?? [];
    expect(parts).toContain("gate");
    const users = ["release", ...parts].filter((part) =>
      /\$\{?(SECONDS|EPOCHSECONDS|EPOCHREALTIME)\b|SECONDS [+-]/.test(text(`${part}.sh`)),
    );
    expect(users).toEqual([]);
  });
});

describe("a clock that is wrong", () => {
  it("does not decide which releases are kept", () => {
    const releases = path.join(directory, "releases");
    writeFileSync(path.join(directory, "options.json"), '{"keepReleases":3}');
    ["r8-aaaaaaaa", "r9-aaaaaaaa", "r10-aaaaaaaa", "r11-aaaaaaaa"].forEach((name, index) => {
      mkdirSync(path.join(releases, name), { recursive: true });
      // The older the release, the newer its directory seems.
      const time = new Date(Date.now() - index * 86_400_000);
      utimesSync(path.join(releases, name), time, time);
    });
    const lib = "root=$payload; say() { :; }";
    const kept = bash(
      ["keep"],
      `${lib}\ndirectory=$root/releases/r11-aaaaaaaa current_dir=$root/releases/r10-aaaaaaaa\nkept_directories`,
    );
    expect(kept.split("\n").map((each) => path.basename(each))).toEqual([
      "r11-aaaaaaaa",
      "r10-aaaaaaaa",
      "r9-aaaaaaaa",
    ]);
  });

  it.each([
    ["docker login", "log_in"],
    ["docker pull", "pull r.example/web@sha256:1"],
  ])("is named when %s finds the registry's certificate invalid", (_, line) => {
    writeFileSync(
      path.join(directory, "registry.json"),
      '{"server":"r.example","username":"u","password":"p"}',
    );
    const words =
      "Error response from daemon: Get https://r.example/v2/: tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-01-01T00:00:00Z is before 2026-01-02T00:00:00Z";
    const docker = `docker() { echo "${words}"; return 1; }; docker_config=$payload; sleep() { :; }`;
    const tell = `fail() { echo "$1: $2"; exit 0; }`;
    expect(bash(["fetch"], `${docker}\n${tell}\n${line}`).split("\n").at(-1)).toMatch(
      /^registry-certificate: this host takes the certificate of the registry r\.example for invalid; its clock says 20/,
    );
  });
});
