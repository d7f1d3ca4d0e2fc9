import { type RehearsalResult, toJson } from "../../../cli/rehearse/results";
import { summary } from "../../../cli/rehearse/summary";

const result: RehearsalResult = {
  steps: [
    { name: "provision", ok: true, seconds: 24.1, remark: "12 resources changed, 0 unchanged" },
    { name: "build", ok: true, seconds: 31, remark: "" },
    { name: "release-1", ok: false, seconds: 3.04, remark: "" },
  ],
  releases: [
    {
      ...{ name: "release-1", expected: "serves", ok: false, secondsToServe: null },
      ...{ requests: 12, failed: 3, longestGapMs: 950 },
    },
  ],
  urls: ["http://203.0.113.7"],
  spans: [
    { step: "provision", part: "pulumi up", seconds: 12.34 },
    { step: "provision", part: "sandbox images", seconds: 20 },
    { step: "provision", part: "docker", seconds: 0.1 },
    { step: "build", part: "images of release-1", seconds: 28 },
  ],
  seconds: 34.2,
};

describe("the result", () => {
  it("is one line of JSON of the documented form", () => {
    const line = toJson(result);
    expect(line).not.toContain("\n");
    expect(JSON.parse(line)).toEqual({
      ok: false,
      steps: [
        { name: "provision", ok: true, seconds: 24.1 },
        { name: "build", ok: true, seconds: 31 },
        { name: "release-1", ok: false, seconds: 3.04 },
      ],
      releases: [
        {
          ...{ name: "release-1", expected: "serves", ok: false, secondsToServe: null },
          ...{ requests: 12, failed: 3, longestGapMs: 950 },
        },
      ],
      urls: ["http://203.0.113.7"],
    });
  });

  it("is a table that shows where the time went and what the load client saw", () => {
    expect(`\n${summary(result)}\n`).toMatchSnapshot();
  });
});
