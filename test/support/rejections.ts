// A test environment that hands rejections nobody waits for to the test. An Output that fails leaves some behind, and
// jest would fail the test for them, also when failing is what the test is about.
import type { Circus } from "@jest/types";
import { TestEnvironment } from "jest-environment-node";

/** Where the rejections go; `undefined` gives them back to jest. */
export type CollectRejections = (into: unknown[] | undefined) => void;

export default class RejectionsEnvironment extends TestEnvironment {
  private collected: unknown[] | undefined;

  override async setup(): Promise<void> {
    await super.setup();
    const collect: CollectRejections = (into) => (this.collected = into);
    this.global["collectRejections"] = collect;
  }

  handleTestEvent(event: Circus.Event | Circus.AsyncEvent, state: Circus.State): void {
    if (event.name !== "error" || event.promise === undefined || this.collected === undefined) return;
    this.collected.push(event.error);
    state.currentlyRunningTest?.unhandledRejectionErrorByPromise.delete(event.promise);
  }
}
