import path from "node:path";
import { docker } from "../../cli/sandbox/bodies/docker";
import { buildAppImage } from "../../cli/sandbox/bodies/imageBuild";
import { describeSandbox } from "./support";

const context = path.resolve(__dirname, "../../examples/django-docker/app");
const tag = "slipway-sandbox/example-development:test";

describeSandbox("the example app, in its own development container", () => {
  afterAll(() => docker(["image", "rm", "--force", tag]), 60_000);

  it("passes its own tests", async () => {
    await buildAppImage({ log: () => undefined }, { context, dockerfile: "Dockerfile", tag });
    const options = [
      "--rm",
      "--network",
      "none",
      "--env",
      "SQL_ENGINE=django.db.backends.sqlite3",
      "--env",
      "DATABASE=sqlite",
    ];
    const printed = await docker(["run", ...options, "--entrypoint", "python", tag, "-m", "pytest", "-q"], {
      timeoutSeconds: 120,
    });
    // A failing test is an exit status, which throws; a run without a test is status 5.
    expect(printed).toContain("[100%]");
  }, 300_000);
});
