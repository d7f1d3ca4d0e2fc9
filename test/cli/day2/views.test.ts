import { judge } from "../../../cli/day2/judge";
import { releasesView } from "../../../cli/day2/releasesView";
import { statusView } from "../../../cli/day2/statusView";
import type { HostStatus } from "../../../components/release/day2";
import { digest, hostStatus, refused, released } from "./support";

const file = "releases/staging.yaml";
const wanted = { file, release: { release: 3, images: { web: digest("a") } } };
const findings = (changes: Partial<HostStatus>, release = 3) =>
  judge(hostStatus(changes), { file, release: { release, images: {} } }).map(
    ({ level, message }) => `${level}: ${message}`,
  );
const [web] = hostStatus().services;
const service = (changes: object) => ({ services: [{ ...web, ...changes }] }) as Partial<HostStatus>;
const certificate = (notAfter: string | null) => ({
  certificates: [{ domain: "shop.example.com", notAfter, issuer: "CN=R11" }],
});

describe("an app is", () => {
  test("healthy when nothing is to be said", () => expect(findings({})).toEqual([]));

  test.each([
    [{ release: null, services: [], edge: null }, 0, "error: no release serves"],
    [service({ state: "exited", exitCode: 137 }), 3, "error: web is exited with code 137"],
    [service({ health: "unhealthy" }), 3, "error: web fails its own health check"],
    [service({ restarts: 2 }), 3, "warning: web was started again 2 times since the release"],
    [{ edge: { url: "http://x/", status: 502, seconds: 1 } }, 3, "error: http://x/ answers 502"],
    [{ edge: { url: "http://x/", status: 0, seconds: 1 } }, 3, "error: nothing answers at http://x/"],
    [certificate(null), 3, "error: there is no certificate for shop.example.com"],
    [certificate("2026-11-20T00:00:00Z"), 3, "error: the certificate of shop.example.com has expired"],
    [
      certificate("2026-11-28T14:00:00Z"),
      3,
      "warning: the certificate of shop.example.com ends in 7 days and was not renewed",
    ],
    [
      { disks: [{ mount: "/", sizeMib: 9000, freeMib: 500 }] },
      3,
      "error: 500 MiB are free on /: a release needs 1024",
    ],
    [
      { disks: [{ mount: "/", sizeMib: 90_000, freeMib: 5000 }] },
      3,
      "warning: less than a tenth of / is free",
    ],
    [{ interrupted: { release: 4, step: "drain" } }, 3, "error: the run of release 4 was cut in step drain"],
    [{ restoring: true }, 3, "error: a restore was cut before it had ended"],
    [{}, 4, `warning: ${file} says release 4, the host runs 3`],
    [{}, 2, `warning: ${file} says release 2, the host runs 3`],
  ] satisfies [Partial<HostStatus>, number, string][])("judged by %j", (changes, release, said) => {
    expect(findings(changes, release)).toEqual([said]);
  });

  test("not ill because a job has ended, a certificate is fresh, or somebody ships", () => {
    expect(findings(service({ state: "exited", exitCode: 0, restartPolicy: "no" }))).toEqual([]);
    expect(findings(certificate("2027-01-20T00:00:00Z"))).toEqual([]);
    expect(findings({ restoring: true, lock: "restore, process 1" })).toEqual([]);
  });
});

test("the status reads well in 80 columns", () => {
  const status = hostStatus({
    ...certificate("2027-01-20T00:00:00Z"),
    interrupted: { release: 4, step: "drain" },
    lock: null,
  });
  const text = statusView(status, judge(status, wanted), "staging");
  expect(text).toBe(
    `shop of stack staging: NOT HEALTHY
  release      3 since 2026-11-20 12:00 UTC (26 h), blue
  edge         200 in 12 ms at http://127.0.0.1/healthz
  certificate  shop.example.com until 2027-01-20 (59 days)
  disk         /: 12.5 of 25.0 GiB free (50 %)

service  state    restarts  image
-------  -------  --------  --------------------------------------
web      up 26 h  0         r.example/shop/web@sha256:aaaaaaaaaaaa

error: the run of release 4 was cut in step drain
  cure: run pulumi up: it finishes it or takes it back`,
  );
});

test("releases come newest first, with what failed and what is still here", () => {
  const receipts = [released(1, "a", ["shop.0001"]), refused(2, "b"), released(3, "c")];
  expect(releasesView(receipts, 3, 20).split("\n").slice(2, 5)).toEqual([
    "3        2026-11-21 13:00 UTC  serves                3.5      -           yes   web cccccccc",
    "2        2026-11-21 12:00 UTC  failed: gate-refused  1.0      -           -     web bbbbbbbb",
    "1        2026-11-21 11:00 UTC  released              3.5      1 applied   yes   web aaaaaaaa",
  ]);
  expect(releasesView(receipts, 3, 1)).toContain("2 earlier ones");
  expect(releasesView([], undefined, 20)).toBe("nothing was shipped yet");
});
