import { describePlan, planRollback, type RollbackPlan } from "../../../cli/day2/rollback";
import type { KeptReceipt } from "../../../components/release/day2";
import { digest, refusalOf, refused, released } from "./support";

interface Case {
  readonly receipts: readonly KeptReceipt[];
  readonly serving?: number | null;
  readonly file?: number;
  readonly to?: number;
}

function plan({ receipts, serving = 3, file = 3, to }: Case): RollbackPlan {
  return planRollback({
    status: { app: "shop", release: serving },
    receipts,
    file: { release: file, images: { web: digest("c") } },
    fileName: "releases/staging.yaml",
    to,
  });
}

const three = [
  released(1, "a", ["shop.0001"]),
  released(2, "b", ["shop.0002"]),
  released(3, "c", ["shop.0003"]),
];

describe("what a rollback goes back to", () => {
  test("is the last good release before the current one, under a new number", () => {
    expect(plan({ receipts: three })).toEqual({
      release: 4,
      images: { web: digest("b") },
      backTo: 2,
      kept: ["shop.0003"],
      local: true,
    });
  });

  test("has other images: a release that only changed a secret is passed over", () => {
    expect(plan({ receipts: [released(1, "a"), released(2, "c"), released(3, "c")] }).backTo).toBe(1);
  });

  test("is never a release that was refused", () => {
    expect(plan({ receipts: [released(1, "a"), refused(2, "b"), released(3, "c")] }).backTo).toBe(1);
  });

  test("is what still serves when the newest was refused", () => {
    const receipts = [...three, refused(4, "d")];
    expect(plan({ receipts, file: 4 })).toMatchObject({
      release: 5,
      backTo: 3,
      images: { web: digest("c") },
    });
  });

  test("is the release that was named, and all later migrations are named", () => {
    const { backTo, kept } = plan({ receipts: three, to: 1 });
    expect({ backTo, kept }).toEqual({ backTo: 1, kept: ["shop.0002", "shop.0003"] });
  });

  test("gets a number that no release had, also no refused one", () => {
    expect(plan({ receipts: [...three, refused(7, "d")] }).release).toBe(8);
  });
});

describe("it is refused", () => {
  test.each([
    ["before anything serves", { receipts: [], serving: null, file: 0 }, "nothing of shop serves yet"],
    [
      "when there is nothing before",
      { receipts: [released(3, "c")] },
      "no release with other images served before release 3",
    ],
    ["for a release that never served", { receipts: three, to: 9 }, "accepted: 1, 2, 3"],
    [
      "when the file is ahead of the host",
      { receipts: three, file: 5 },
      "releases/staging.yaml says release 5, the host runs 3",
    ],
    ["when the file is behind the host", { receipts: three, file: 2 }, "git pull"],
  ] satisfies [string, Case, string][])("%s", async (_, args, said) => {
    const { code, text } = await refusalOf(() => plan(args));
    expect(code).toBe(2);
    expect(text).toContain(said);
    expect(text).toContain("cure: ");
  });

  test("not when the release is named, whatever the file says", () => {
    expect(plan({ receipts: three, file: 5, to: 2 }).release).toBe(6);
  });
});

test("the verdict says which migrations the older code has to live with", () => {
  expect(describePlan(plan({ receipts: three })).at(-1)).toBe(
    "verdict: 1 later migration stays applied; the older code has to work with it: shop.0003",
  );
  expect(describePlan(plan({ receipts: [released(1, "a"), released(3, "c")] })).at(-1)).toMatch(
    /^verdict: safe/,
  );
});
