import { Ledger, overlapMs, type Sample } from "../../../cli/rehearse/load/ledger";

const serves = { from: 1, to: 2, expected: "serves" } as const;

function page(startedAt: number, endedAt: number, release?: number): Sample {
  return { kind: "page", startedAt, endedAt, release };
}

function books(
  args: ConstructorParameters<typeof Ledger>[0],
  samples: readonly Sample[],
  closedAt: number,
): Ledger {
  const ledger = new Ledger(args, 0);
  for (const sample of samples) ledger.add(sample);
  ledger.close(closedAt);
  return ledger;
}

describe("the books of a load", () => {
  it("count from the mark to the first answer of the new release", () => {
    const ledger = new Ledger(serves, 0);
    ledger.add(page(0, 10, 1));
    ledger.mark(1000);
    ledger.add(page(1000, 1010, 1));
    ledger.add(page(3500, 3510, 2));
    expect(ledger.report()).toMatchObject({
      requests: 3,
      failed: 0,
      secondsToServe: 2.51,
      answers: { 1: 2, 2: 1 },
    });
  });

  it("let a request that was in flight at the switch be answered by the old release", () => {
    const ledger = books(serves, [page(990, 1000, 2), page(0, 2000, 1)], 2000);
    expect(ledger.report().failed).toBe(0);
  });

  it("fail a request that was made after the switch and answered by the old release", () => {
    const late = 1000 + overlapMs + 1;
    const ledger = books(serves, [page(990, 1000, 2), page(late, late + 5, 1)], late + 5);
    expect(ledger.report()).toMatchObject({
      failed: 1,
      failures: [
        { reason: "release 1 answered a request that was made after release 2 had taken over", count: 1 },
      ],
    });
  });

  it("fail an answer that names no release, or one that nobody shipped", () => {
    const ledger = books(serves, [page(0, 1), page(0, 2, 7)], 2);
    expect(ledger.report().failures.map(({ reason }) => reason)).toEqual([
      "the answer names no release",
      "release 7 answered, expected 1 or 2",
    ]);
  });

  it("fail any answer of a release that was to be refused", () => {
    const ledger = books({ from: 2, to: 3, expected: "refused" }, [page(0, 1, 2), page(0, 2, 3)], 2);
    expect(ledger.report()).toMatchObject({ requests: 2, failed: 1, secondsToServe: null });
  });

  it("ignore failures before the first release, when nothing serves", () => {
    const refused: Sample = {
      kind: "page",
      startedAt: 0,
      endedAt: 5,
      failure: "connection error: ECONNREFUSED",
    };
    const first = { from: null, to: 1, expected: "serves" } as const;
    const ledger = books(first, [refused, page(4000, 4010, 1), { ...refused, endedAt: 4020 }], 4030);
    expect(ledger.report()).toMatchObject({ requests: 2, failed: 1, longestGapMs: 20, secondsToServe: 4.01 });
  });

  it("see an outage at the beginning, in the middle and at the end", () => {
    expect(books(serves, [page(0, 700, 1), page(0, 710, 1)], 720).report().longestGapMs).toBe(700);
    expect(books(serves, [page(0, 10, 1), page(0, 610, 1)], 620).report().longestGapMs).toBe(600);
    expect(books(serves, [page(0, 10, 1)], 510).report().longestGapMs).toBe(500);
  });

  it("take no silence after the end for an outage, but a failure after it for one", () => {
    const slow: Sample = { kind: "slow", startedAt: 10, endedAt: 2010, release: 1 };
    const ledger = new Ledger(serves, 0);
    ledger.add(page(0, 10, 1));
    ledger.close(20);
    ledger.add(slow);
    ledger.add({ ...slow, failure: "no answer within 7 s" });
    expect(ledger.report()).toMatchObject({ longestGapMs: 10, failed: 1 });
  });

  it("count the slow requests that were in flight at the switch", () => {
    const slow = (startedAt: number, endedAt: number): Sample => ({
      kind: "slow",
      startedAt,
      endedAt,
      release: 1,
    });
    const ledger = books(serves, [slow(0, 900), page(995, 1000, 2), slow(100, 2100), slow(999, 2999)], 3000);
    expect(ledger.report()).toMatchObject({ slowAcrossSwitch: 2, failed: 0 });
  });
});
