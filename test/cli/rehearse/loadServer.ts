import * as http from "node:http";
import type { AddressInfo, Socket } from "node:net";

type Handler = (request: http.IncomingMessage, response: http.ServerResponse, count: number) => void;

/** A small server whose failures a test chooses: the load client has to find each of them. */
export class LoadServer {
  /** Number that the answers carry. */
  release = 1;
  count = 0;
  failing = false;
  readonly files = new Map<string, Buffer>();
  readonly posts: { contentType: string; bytes: number; csrf: string }[] = [];
  /** Requests that came in on a connection that had been used before. */
  reused = 0;
  private readonly seen = new WeakSet<Socket>();
  private readonly server: http.Server;

  private constructor(handler: Handler) {
    this.server = http.createServer((request, response) => {
      this.count += 1;
      if (this.seen.has(request.socket)) this.reused += 1;
      this.seen.add(request.socket);
      handler(request, response, this.count);
    });
  }

  static async start(handler: (server: LoadServer) => Handler): Promise<LoadServer> {
    const server: LoadServer = new LoadServer((...args) => handler(server)(...args));
    await new Promise<void>((resolve) => server.server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  /** An app with a page that names a style sheet, a slow page and an upload; 502 before its first release. */
  static app(): Promise<LoadServer> {
    return LoadServer.start((self) => (request, response) => {
      const { release } = self;
      if (release === 0 || self.failing) return answer(response, release, 502);
      const file = self.files.get(request.url ?? "");
      if (/^\/(static|media)\//.test(request.url ?? ""))
        return answer(response, release, file ? 200 : 404, file);
      if (request.method === "POST") return self.take(request, response);
      setTimeout(
        () =>
          answer(
            response,
            release,
            200,
            `<link rel="stylesheet" href="/static/site.1a2b.css"> release ${release}`,
          ),
        request.url === "/slow" ? 500 : 0,
      );
    });
  }

  forget(prefix: string): void {
    for (const path of this.files.keys()) if (path.startsWith(prefix)) this.files.delete(path);
  }

  /** Keeps the one file of a form and says where it is found. */
  private take(request: http.IncomingMessage, response: http.ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      const url = `/media/${this.count}`;
      this.files.set(url, body.subarray(body.indexOf("\r\n\r\n") + 4, body.lastIndexOf("\r\n--")));
      answer(response, this.release, 201, JSON.stringify({ url }));
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

export function answer(
  response: http.ServerResponse,
  release: number,
  status = 200,
  body: string | Buffer = `release ${release}`,
): void {
  response.writeHead(status, { "x-slipway-release": String(release) });
  response.end(body);
}
