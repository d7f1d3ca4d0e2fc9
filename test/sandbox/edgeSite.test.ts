import { readFileSync } from "node:fs";
import path from "node:path";
import { renderCaddyfile, renderEdgeSite } from "../../components/release/edgeSite";
import { appWith } from "../support/composeApps";
import { inDroplet } from "./compose";
import { describeSandbox } from "./support";

interface Answer {
  readonly name: string;
  readonly status: number;
  readonly headers: readonly { readonly key: string; readonly value: string }[];
  readonly body: { readonly headers: Readonly<Record<string, string>>; readonly received: number };
}

const beside = (name: string): string => readFileSync(path.join(__dirname, name), "utf8");

const filledIn = (site: string, port: number, release: number): string =>
  site.replaceAll("__UPSTREAM_PORT__", String(port)).replaceAll("__RELEASE__", String(release));

const authority = `{
	admin off
	http_port 9080
	https_port 9443
	skip_install_trust
}
https://localhost:9443 {
	tls internal
	acme_server
}
`;

async function askTheEdge(): Promise<Record<string, Answer>> {
  const plain = appWith("", { name: "plain", limits: { maxBodyMib: 1, responseTimeoutSeconds: 1 } });
  const shop = appWith("", { domains: ["shop.example.com"] });
  const acme = { directory: "https://localhost:9443/acme/local/directory", caCertificate: "PEM" };
  const files = {
    Caddyfile: renderCaddyfile(),
    "plain.caddy": filledIn(renderEdgeSite(plain), 18000, 7),
    "shop.caddy": filledIn(renderEdgeSite(shop, { acme }), 18002, 8),
    "authority.caddyfile": authority,
    "upstream.py": beside("upstream.py"),
    "edgeSite.sh": beside("edgeSite.sh"),
  };
  const lines = (await inDroplet(files, "bash edgeSite.sh")).trim().split("\n");
  return Object.fromEntries(
    lines.map((line) => JSON.parse(line) as Answer).map((answer) => [answer.name, answer]),
  );
}

const release = (answer: Answer | undefined): string[] =>
  (answer?.headers ?? []).filter(({ key }) => key === "x-slipway-release").map(({ value }) => value);

describeSandbox("the edge's files in the Caddy of the host", () => {
  jest.setTimeout(300_000);
  let answers: Record<string, Answer> = {};
  beforeAll(async () => {
    answers = await askTheEdge();
  });

  it("passes on host and address of the client, and does not believe what it says of itself", () => {
    expect(answers.plain).toMatchObject({
      status: 200,
      body: {
        headers: {
          host: "203.0.113.7",
          "x-forwarded-for": "127.0.0.1",
          "x-forwarded-proto": "http",
          "x-forwarded-host": "203.0.113.7",
        },
      },
    });
  });

  it("closes its connection to the app after each request, so that open ones are requests in flight", () => {
    expect(answers.plain?.body.headers.connection).toBe("close");
  });

  it("names the release once in every answer, also in those the app did not give", () => {
    expect(
      [answers.plain, answers.large, answers.slow, answers.https, answers.redirect].map(release),
    ).toEqual([["7"], ["7"], ["7"], ["8"], ["8"]]);
  });

  it("takes a body up to its limit, and refuses a larger one as such", () => {
    expect(answers.fits).toMatchObject({ status: 200, body: { received: 1048576 } });
    expect(answers.large?.status).toBe(413);
  });

  it("gives up on an app that does not answer in time", () => {
    expect(answers.slow?.status).toBe(504);
  });

  it("has no admin interface on the network", () => {
    expect(answers.admin?.status).toBe(0);
  });

  it("gets a certificate for a domain, and tells the app that the client came over HTTPS", () => {
    expect(answers.https).toMatchObject({
      status: 200,
      body: { headers: { host: "shop.example.com", "x-forwarded-proto": "https" } },
    });
  });

  it("redirects HTTP to HTTPS permanently, beside an app that answers for every other name", () => {
    expect(answers.redirect?.status).toBe(308);
    expect(answers.redirect?.headers).toContainEqual({
      key: "location",
      value: "https://shop.example.com/a/b?c=d",
    });
    expect(answers["plain-beside"]?.status).toBe(200);
  });

  it("keeps an access log for each app", () => {
    expect(answers.log).toMatchObject({ status: 200 });
  });
});
