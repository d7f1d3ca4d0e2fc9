import { collectStaticFiles, lostFiles, staticPaths } from "../../../cli/rehearse/keptFiles";
import { LoadServer } from "./loadServer";

describe("the files that have to outlive their release", () => {
  it("are the style sheets, scripts and images of the same origin", () => {
    const html = `
      <link rel="stylesheet" href="/static/site.1a2b.css"><link rel="canonical" href="https://example.com/a.css">
      <script defer src='/static/app.3c4d.js'></script><img alt="" src="logo.png?v=2"><img src="data:image/png;base64,AA">
      <a href="/static/report.pdf">report</a><link rel="next" href="/page/2">`;
    expect(staticPaths(html, "http://203.0.113.7/docs/")).toEqual([
      "/static/site.1a2b.css",
      "/static/app.3c4d.js",
      "/docs/logo.png?v=2",
    ]);
  });

  it("are lost when they answer with other content, and kept when the content is binary", async () => {
    const server = await LoadServer.app();
    try {
      const path = "/static/site.1a2b.css";
      server.files.set(path, Buffer.from([0xff, 0xfe, 0x00, 0x80]));
      const target = { url: server.url };
      const files = await collectStaticFiles(target, ["/"]);
      expect(files).toMatchObject([{ path, kind: "static" }]);
      expect(await lostFiles(target, files)).toBeUndefined();
      server.files.set(path, Buffer.from([0xff, 0xfe, 0x00, 0x81]));
      expect((await lostFiles(target, files))?.message).toContain(`${path}: its content is another one`);
    } finally {
      await server.stop();
    }
  });
});
