import { describe as describeEvent, toFailure } from "../../../cli/rehearse/programWords";
import { noChanges } from "../../../cli/sandbox/events";

const line = `S=; [ \\"$(id -u)\\" = 0 ] || S='sudo -n'; exec $S sh -c 'umask 077'`;
const receipt = {
  ...{ app: "shop", release: 3, result: "failed", step: "gate", code: "gate-refused" },
  ...{ message: "the new release answers 500 at /healthz", cure: "read the app's log below" },
  ...{ serves: 2, images: {}, seconds: { fetch: 1.5 }, probe: null, log: ["500 Internal Server Error"] },
};

function failure(error: string, said: readonly string[] = []): ReturnType<typeof toFailure> {
  return toFailure({ ok: false, outputs: {}, changes: noChanges(), error }, said);
}

describe("a failed run of the program", () => {
  it("is told by the receipt of the host when there is one", () => {
    const text = `"shop-release" [command:remote:Command]: Process exited with status 25: running "${line}":\n${JSON.stringify(receipt)}\n`;
    expect(failure(text)).toMatchObject({
      message: "the new release answers 500 at /healthz",
      details: {
        code: "gate-refused",
        cure: "read the app's log below",
        seconds: { fetch: 1.5 },
        log: { title: "the host's log of release 3", text: "500 Internal Server Error" },
      },
    });
  });

  it("shows what the script said, and not the constant line that ran it", () => {
    const text = `"roles" [command:remote:Command]: Process exited with status 3: running "${line}":\nERROR: no such extension\n`;
    const { message, details } = failure(text, ["something else"]);
    expect(message).toBe('"roles" ended with status 3 on the host');
    expect(details.log).toEqual({ title: "it said", text: "ERROR: no such extension\n" });
  });

  it("shows the last lines of the program when the failure has none of its own", () => {
    expect(failure("slipway:region: received 7", ["one", "two"])).toMatchObject({
      message: "slipway:region: received 7",
      details: { log: { title: "the program said", text: "one\ntwo" } },
    });
  });

  it("is one line in the progress", () => {
    const message = `Process exited with status 25: running "${line}":\n${JSON.stringify(receipt)}`;
    const event = {
      kind: "failed",
      urn: "",
      type: "command:remote:Command",
      name: "shop-release",
      message,
      seconds: 1,
    } as const;
    expect(describeEvent(event)).toBe("failed shop-release: the new release answers 500 at /healthz");
  });
});
