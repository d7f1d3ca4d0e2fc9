import { setTimeout as sleep } from "node:timers/promises";
import { Load } from "../../../cli/rehearse/load/clients";
import { startLoad } from "../../../cli/rehearse/load/load";
import type { LoadPlan, LoadReport } from "../../../cli/rehearse/load/plan";
import { answer, LoadServer } from "./loadServer";

let server: LoadServer;
afterEach(() => server.stop());

const plan = (changes: Partial<LoadPlan> = {}): LoadPlan => ({
  target: { url: server.url },
  pages: [{ path: "/", contains: "release {release}" }],
  from: 1,
  to: 2,
  expected: "refused",
  requestsPerSecond: 1000,
  settleSeconds: 0.5,
  ...changes,
});

async function run(
  changes: Partial<LoadPlan> = {},
  minRequests = 200,
  during?: () => Promise<void>,
): Promise<LoadReport> {
  const load = new Load(plan(changes));
  load.mark();
  await during?.();
  return load.finish({ minRequests, withinSeconds: 20 });
}

describe("the load client", () => {
  it("finds nothing wrong with a good server, half of its clients keeping their connections", async () => {
    server = await LoadServer.start(() => (_, response) => answer(response, 1));
    const report = await run();
    expect(report).toMatchObject({ failed: 0, failures: [], reconnects: 0, answers: { 1: report.requests } });
    expect(report.requests).toBeGreaterThanOrEqual(200);
    const share = server.reused / server.count;
    expect(share).toBeGreaterThan(0.25);
    expect(share).toBeLessThan(0.75);
  });

  it("counts every answer with a bad status", async () => {
    let bad = 0;
    server = await LoadServer.start(() => (_, response, count) => {
      if (count % 10 === 0) bad += 1;
      answer(response, 1, count % 10 === 0 ? 502 : 200);
    });
    const report = await run();
    expect(report.failed).toBe(bad);
    expect(report.failures).toMatchObject([{ reason: "status 502 from /", count: bad }]);
  });

  it("counts a connection that is dropped before the answer and one dropped in the middle of it", async () => {
    let dropped = 0;
    server = await LoadServer.start(() => (request, response, count) => {
      if (count % 7 !== 0 || request.headers.connection === "keep-alive") return answer(response, 1);
      dropped += 1;
      if (count % 2 === 0) return void request.socket.destroy();
      response.writeHead(200, { "x-slipway-release": "1", "content-length": "1000" });
      response.write("release 1", () => request.socket.destroy());
    });
    const report = await run();
    expect(dropped).toBeGreaterThan(3);
    expect(report.failed).toBe(dropped);
    expect(report.failures.map(({ reason }) => reason).sort()).toEqual([
      "answer cut off: ECONNRESET",
      "connection error: ECONNRESET",
    ]);
  });

  it("makes a request again when the server closed the idle connection it went out on, and says how often", async () => {
    const used = new WeakSet<object>();
    let lost = 0;
    server = await LoadServer.start(() => (request, response) => {
      if (used.has(request.socket) && lost < 5) {
        lost += 1;
        return void request.socket.destroy();
      }
      used.add(request.socket);
      answer(response, 1);
    });
    expect(await run()).toMatchObject({ failed: 0, reconnects: 5 });
  });

  it("counts a wrong body", async () => {
    server = await LoadServer.start(() => (_, response, count) => {
      answer(response, 1, 200, count === 5 ? "release 12 of another app" : count === 6 ? "" : "release 1");
    });
    const report = await run({ pages: [{ path: "/", contains: "release {release}" }] });
    expect(report.failures).toMatchObject([
      { reason: 'wrong body from /: "release 1" is not in it', count: 1 },
    ]);
  });

  it("takes redirects for good only where nothing is known of the app", async () => {
    server = await LoadServer.start(() => (_, response) => answer(response, 1, 302, ""));
    const pages = [{ path: "/" }];
    expect((await run({ pages, acceptRedirects: true })).failed).toBe(0);
    expect((await run({ pages })).failed).toBeGreaterThan(100);
  });

  it("gives a page 5 seconds, and a slow page as much longer as it is slow", async () => {
    server = await LoadServer.start(() => (request, response, count) => {
      const late = request.url === "/slow" ? 5500 : count === 30 ? 5500 : 0;
      setTimeout(() => answer(response, 1), late);
    });
    const report = await run({ slow: "/slow" }, 100, () => sleep(5600));
    expect(report.failures).toMatchObject([{ reason: "no answer within 5 s", count: 1 }]);
  }, 20_000);

  it("posts a file with the token of the form", async () => {
    server = await LoadServer.start((self) => (request, response) => {
      if (request.url !== "/upload") return answer(response, 1);
      if (request.method === "GET") {
        response.setHeader("set-cookie", "csrftoken=abc123; Path=/");
        return answer(response, 1);
      }
      let bytes = 0;
      request.on("data", (chunk: Buffer) => (bytes += chunk.length));
      request.on("end", () => {
        const contentType = request.headers["content-type"] ?? "";
        self.posts.push({ contentType, bytes, csrf: String(request.headers["x-csrftoken"]) });
        answer(response, 1, 201);
      });
    });
    const report = await run({ upload: { path: "/upload", field: "file" } });
    expect(report.failed).toBe(0);
    expect(server.posts[0]).toMatchObject({
      csrf: "abc123",
      contentType: expect.stringContaining("multipart/") as string,
    });
    expect(server.posts[0]?.bytes).toBeGreaterThan(60_000);
  });
});

describe("the load client across a switch", () => {
  it("says when the new release first answered, and that two slow requests went through", async () => {
    server = await LoadServer.start((self) => (request, response) => {
      const release = self.release;
      setTimeout(() => answer(response, release), request.url === "/slow" ? 600 : 0);
    });
    const report = await run({ expected: "serves", slow: "/slow" }, 500, async () => {
      // Both slow clients are under way after a second.
      await sleep(1500);
      server.release = 2;
    });
    expect(report).toMatchObject({ failed: 0, slowAcrossSwitch: 2 });
    expect(report.secondsToServe).toBeGreaterThanOrEqual(1.5);
    expect(report.secondsToServe).toBeLessThan(2);
  }, 20_000);

  it("fails when a replica of the old release still answers after the switch", async () => {
    server = await LoadServer.start((self) => (_, response, count) => {
      answer(response, self.release === 2 && count % 5 === 0 ? 1 : self.release);
    });
    const report = await run({ expected: "serves" }, 500, async () => {
      await sleep(300);
      server.release = 2;
    });
    expect(report.failed).toBeGreaterThan(50);
    expect(report.failures[0]?.reason).toMatch(/^release 1 answered a request that was made after release 2/);
  });

  it("measures an outage", async () => {
    let away = false;
    server = await LoadServer.start((self) => (request, response) => {
      if (away) request.socket.destroy();
      else answer(response, self.release);
    });
    const report = await run({ expected: "serves" }, 300, async () => {
      await sleep(200);
      away = true;
      await sleep(700);
      away = false;
      server.release = 2;
    });
    expect(report.longestGapMs).toBeGreaterThanOrEqual(650);
    expect(report.failed).toBeGreaterThan(0);
  });
});

describe("the load process", () => {
  it("waits for the first release, then loads it, from a process of its own", async () => {
    server = await LoadServer.start((self) => (_, response) => {
      if (self.release === 0) answer(response, 0, 502);
      else answer(response, self.release);
    });
    server.release = 0;
    const load = await startLoad(plan({ from: null, to: 1, expected: "serves" }));
    load.mark();
    await sleep(300);
    server.release = 1;
    const report = await load.finish({ minRequests: 100, withinSeconds: 20 });
    expect(report.failed).toBe(0);
    expect(report.requests).toBeGreaterThanOrEqual(100);
    expect(report.secondsToServe).toBeGreaterThanOrEqual(0.3);
  }, 20_000);

  it("says so when it was killed, instead of waiting for ever", async () => {
    server = await LoadServer.start(() => (_, response) => answer(response, 1));
    const load = await startLoad(plan());
    load.kill();
    await expect(load.finish({ minRequests: 10, withinSeconds: 1 })).rejects.toThrow(
      "the load client ended early",
    );
    await expect(load.finish({ minRequests: 10, withinSeconds: 1 })).rejects.toThrow(
      "the load client ended early",
    );
    load.mark();
  }, 20_000);

  it("ends within its time when the new release never answers", async () => {
    server = await LoadServer.start(() => (_, response) => answer(response, 1));
    const load = await startLoad(plan({ expected: "serves" }));
    load.mark();
    const report = await load.finish({ minRequests: 10, withinSeconds: 1 });
    expect(report).toMatchObject({ secondsToServe: null, failed: 0 });
  }, 20_000);
});
