import { findFailedReceipt } from "../../../components/release/receipt";

const failed = { app: "shop", release: 3, result: "failed", step: "gate", code: "gate-refused" };

describe("findFailedReceipt", () => {
  it("is found in what the provider prints around it", () => {
    const text = `Process exited with status 25: running "S=; …":\n${JSON.stringify(failed)}\n`;
    expect(findFailedReceipt(text)).toEqual(failed);
  });

  it("is none when the script never got that far", () => {
    expect(findFailedReceipt("ssh: handshake failed")).toBeUndefined();
    expect(findFailedReceipt('{"app": cut off')).toBeUndefined();
  });
});
