import { DockerUnavailable, ensureDocker } from "../../cli/sandbox/bodies/engine";

/** Once for all sandbox tests: brings Docker up, or says aloud why they are skipped. In CI that is a failure. */
export default async function setup(): Promise<void> {
  try {
    await ensureDocker();
  } catch (error) {
    if (!(error instanceof DockerUnavailable) || process.env.CI === "true") throw error;
    process.env.SLIPWAY_NO_DOCKER = error.message;
    console.error(`\nSKIPPED: every sandbox test, because Docker cannot run here.\n${error.message}\n`);
  }
}
