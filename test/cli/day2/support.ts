import { CliError, describeError } from "../../../cli/errors";
import type { HostStatus, KeptReceipt } from "../../../components/release/day2";

export const digest = (letter: string): string => `r.example/shop/web@sha256:${letter.repeat(64)}`;

/** A healthy app; what a test changes is laid over it. */
export function hostStatus(changes: Partial<HostStatus> = {}): HostStatus {
  return {
    app: "shop",
    target: "compose",
    at: "2026-11-21T14:00:00Z",
    release: 3,
    since: "2026-11-20T12:00:00Z",
    colour: "blue",
    services: [
      {
        service: "web",
        role: "release",
        image: digest("a"),
        imageId: "sha256:1",
        state: "running",
        exitCode: 0,
        health: null,
        restarts: 0,
        startedAt: "2026-11-20T12:00:00.123456789Z",
        restartPolicy: "unless-stopped",
      },
    ],
    runs: [],
    edge: { url: "http://127.0.0.1/healthz", status: 200, seconds: 0.012 },
    certificates: [],
    disks: [{ mount: "/", sizeMib: 25_600, freeMib: 12_800 }],
    interrupted: null,
    lock: null,
    restoring: false,
    ...changes,
  };
}

export function released(release: number, letter: string, applied: readonly string[] = []): KeptReceipt {
  return {
    at: `2026-11-21T1${release}:00:00Z`,
    app: "shop",
    release,
    result: "released",
    previous: release - 1,
    colour: "blue",
    images: { web: digest(letter) },
    migrations: { applied, kept: [] },
    restarted: [],
    seconds: { fetch: 1, start: 2.5 },
    probe: null,
    local: true,
  };
}

export function refused(release: number, letter: string): KeptReceipt {
  return {
    at: `2026-11-21T1${release}:00:00Z`,
    app: "shop",
    release,
    result: "failed",
    step: "gate",
    code: "gate-refused",
    message: "the new release answers 500 at /healthz",
    cure: "read the app's log below",
    serves: release - 1,
    images: { web: digest(letter) },
    restarted: [],
    seconds: { fetch: 1 },
    probe: null,
    log: [],
    local: false,
  };
}

/** What a command says when it cannot do it. */
export async function refusalOf(work: () => unknown): Promise<{ code: number; text: string }> {
  const error = await Promise.resolve()
    .then(work)
    .then(
      () => undefined,
      (caught: unknown) => caught,
    );
  expect(error).toBeInstanceOf(CliError);
  return { code: (error as CliError).exitCode, text: describeError(error) };
}
