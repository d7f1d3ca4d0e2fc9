/** A describe block that needs Docker: skipped where Docker cannot run, see setup.ts. */
export const describeSandbox = process.env.SLIPWAY_NO_DOCKER === undefined ? describe : describe.skip;
