import * as http from "node:http";
import * as https from "node:https";
import { type LoadTarget, releaseHeader } from "./plan";

export interface RequestArgs {
  readonly target: LoadTarget;
  readonly path: string;
  readonly agent: http.Agent;
  readonly limitSeconds: number;
  readonly acceptRedirects?: boolean;
  readonly contains?: string;
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

export interface Answer {
  readonly release?: number;
  /** Why this is a failure; absent for a good answer. */
  readonly failure?: string;
  readonly reconnected?: boolean;
  readonly status?: number;
  readonly cookies?: readonly string[];
  readonly body?: Buffer;
}

/** An agent of its own for one client, so that nobody else's requests share its connection. */
export function makeAgent(target: LoadTarget, keepAlive: boolean): http.Agent {
  const options = { keepAlive, maxSockets: keepAlive ? 1 : Infinity };
  return target.url.startsWith("https:")
    ? new https.Agent({ ...options, ca: target.ca, servername: new URL(target.url).hostname })
    : new http.Agent(options);
}

/** Makes one request and judges the answer. Never rejects: what goes wrong is the finding. */
export async function request(args: RequestArgs): Promise<Answer> {
  const first = await attempt(args);
  // The server may close an idle connection while a request is on its way. RFC 9110 9.2.2 has a client send an
  // idempotent request again then, and browsers and proxies do; a new connection gets no second chance.
  if (first.lostIdleConnection && (args.method ?? "GET") === "GET") {
    return { ...(await attempt(args)), reconnected: true };
  }
  return first;
}

function attempt(args: RequestArgs): Promise<Answer & { lostIdleConnection?: boolean }> {
  const url = new URL(args.target.url);
  const secure = url.protocol === "https:";
  return new Promise((resolve) => {
    let answered = false;
    const started = (secure ? https : http).request(
      {
        host: args.target.address ?? url.hostname,
        port: url.port || (secure ? 443 : 80),
        path: args.path,
        method: args.method ?? "GET",
        headers: {
          host: url.host,
          ...args.headers,
          ...(args.body ? { "content-length": args.body.length } : {}),
        },
        agent: args.agent,
      },
      (response) => {
        answered = true;
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", (error) => settle({ failure: `answer cut off: ${reason(error)}` }));
        response.on("end", () => settle(judge(args, response, Buffer.concat(chunks))));
      },
    );
    const timer = setTimeout(() => {
      settle({ failure: `no answer within ${args.limitSeconds} s` });
      started.destroy();
    }, args.limitSeconds * 1000);
    const settle = (answer: Answer & { lostIdleConnection?: boolean }): void => {
      clearTimeout(timer);
      resolve(answer);
    };
    started.on("error", (error) => {
      settle({
        failure: `connection error: ${reason(error)}`,
        lostIdleConnection: started.reusedSocket && !answered && isReset(error),
      });
    });
    started.end(args.body);
  });
}

function judge(args: RequestArgs, response: http.IncomingMessage, body: Buffer): Answer {
  const status = response.statusCode ?? 0;
  const header = response.headers[releaseHeader];
  const release = typeof header === "string" && /^\d+$/.test(header) ? Number(header) : undefined;
  const seen: Answer = { release, status, body, cookies: response.headers["set-cookie"] ?? [] };
  if (!response.complete) return { ...seen, failure: "answer cut off" };
  const highest = args.acceptRedirects ? 399 : 299;
  if (status < 200 || status > highest) return { ...seen, failure: `status ${status} from ${args.path}` };
  const wanted = args.contains?.replaceAll("{release}", String(release));
  if (wanted === undefined ? body.length === 0 && status === 200 : !body.includes(wanted)) {
    return {
      ...seen,
      failure: `wrong body from ${args.path}${wanted ? `: "${wanted}" is not in it` : ": empty"}`,
    };
  }
  return seen;
}

function isReset(error: NodeJS.ErrnoException): boolean {
  return error.code === "ECONNRESET" || error.code === "EPIPE";
}

function reason(error: NodeJS.ErrnoException): string {
  return error.code ?? error.message;
}
