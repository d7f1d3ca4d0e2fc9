/** @jest-environment ./test/support/rejections.ts */
import * as pulumi from "@pulumi/pulumi";
import { AppSlot, type Host } from "../../../components/release";
import { payloadFiles } from "../../support/payload";
import { record, recordFailure, type Answers } from "../../support/recorder";

const command = "command:remote:Command";
const answers: Answers = { [command]: () => ({ stdout: '{"app":"shop"}\n', stderr: "" }) };
const host = (): Host => ({
  connection: pulumi.secret({ host: "203.0.113.7", user: "deploy" }),
  identity: pulumi.output("101"),
  ready: [],
});
const make = (app: string, deleteData?: boolean) => (): { slot: AppSlot } => ({
  slot: new AppSlot("slot", { host: host(), app, deleteData }),
});

test.each([
  [undefined, false],
  [true, true],
])("deleteData %s", async (given, expected) => {
  const recording = await record(make("shop", given), { answers });
  const files = await payloadFiles(recording.find(command).inputs["stdin"]);
  expect(JSON.parse(files["slot.json"] ?? "")).toEqual({
    app: "shop",
    deleteData: expected,
    owner: "slipway/test",
  });
});

// The names of an App, and no others: `shop-blue` would take the containers of shop's blue side for its own.
test.each(["Shop", "1shop", "shop-", "shop-blue", "shop-stateful", "s".repeat(31), ""])(
  "%j is refused before anything is registered",
  async (app) => {
    const { message, urns } = await recordFailure(make(app), { answers });
    expect(message).toContain('AppSlot "slot"');
    expect(message).toContain(`app: received ${JSON.stringify(app)}; accepted: 1 to 30 lower case letters`);
    expect(message).toContain("Cure: rename the app");
    expect(urns).toEqual([]);
  },
);
