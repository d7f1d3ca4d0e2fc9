/** @jest-environment ./test/support/rejections.ts */
import * as pulumi from "@pulumi/pulumi";
import { AppSlot, ComposeRelease, type ComposeReleaseArgs, type Host } from "../../../components/release";
import { parseReceipt } from "../../../components/release/remoteScript";
import { leaks, record, recordFailure, valueOf, type Answers } from "../../support/recorder";

const privateKey = "-----BEGIN OPENSSH PRIVATE KEY-----abc";
const password = `registry @ $ # ' " % \\ password`;
const secretKey = `django @ $ # ' " % \\ key`;
const receipt = { app: "shop", release: 4, result: "released" };

const answers: Answers = {
  "command:remote:Command": () => ({ stdout: `noise\n${JSON.stringify(receipt)}\n`, stderr: "" }),
};

function host(): Host {
  return {
    connection: pulumi.secret({ host: "192.0.2.1", user: "deploy", privateKey, hostKey: "ssh-ed25519 AAAA" }),
    identity: pulumi.output("machine-1"),
    ready: [],
  };
}

const compose = `
services:
  web: { image: "\${WEB_IMAGE}", env_file: .env, volumes: ["static_volume:/static", "media_volume:/media"] }
  nginx: { image: "\${NGINX_IMAGE}", ports: ["80:80"], depends_on: [web] }
volumes: { static_volume: , media_volume: }
`;

function releaseArgs(changes: Partial<ComposeReleaseArgs> = {}): Omit<ComposeReleaseArgs, "host" | "slot"> {
  const digest = "a".repeat(64);
  return {
    app: {
      name: "shop",
      compose,
      ingress: { service: "nginx", port: 80 },
      health: { path: "/healthz" },
      images: { web: `r.example/web@sha256:${digest}`, nginx: `r.example/nginx@sha256:${digest}` },
      secrets: { SECRET_KEY: pulumi.secret(secretKey) },
      perReleaseVolumes: ["static_volume"],
    },
    release: 4,
    registry: { server: "r.example", username: "reader", password: pulumi.secret(password) },
    ...changes,
  };
}

function ship(changes: Partial<ComposeReleaseArgs> = {}): Promise<{ receipt: unknown }> {
  const machine = host();
  const slot = new AppSlot("shop", { host: machine, app: "shop" });
  const release = new ComposeRelease("shop-release", { ...releaseArgs(changes), host: machine, slot });
  return valueOf(release.receipt).then((value) => ({ receipt: value }));
}

function files(stdin: unknown): Record<string, string> {
  const tar = Buffer.from(String(stdin), "base64");
  const found: Record<string, string> = {};
  for (let at = 0; at < tar.length && tar[at] !== 0;) {
    const name = tar.toString("utf8", at, tar.indexOf(0, at));
    const size = parseInt(tar.toString("ascii", at + 124, at + 135), 8);
    found[name] = tar.toString("utf8", at + 512, at + 512 + size);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return found;
}

describe("RemoteScript", () => {
  it("hands the script over on a secret stdin, with logging off and nothing of a previous run in its environment", async () => {
    const { find } = await record(async () => ship(), { answers });
    const command = find("command:remote:Command", "shop-release");
    expect(command.secretPaths).toEqual(expect.arrayContaining(["connection", "stdin"]));
    expect(command.inputs).toMatchObject({
      logging: "none",
      addPreviousOutputInEnv: false,
      triggers: ["machine-1", 4],
    });
    expect(Object.keys(command.inputs).sort()).toEqual(
      ["addPreviousOutputInEnv", "connection", "create", "logging", "stdin", "triggers"].sort(),
    );
  });

  it("never removes a release when a newer one replaces it, and does remove an app that leaves the program", async () => {
    const { find } = await record(async () => ship(), { answers });
    expect(find("command:remote:Command", "shop-release").inputs["delete"]).toBeUndefined();
    expect(find("command:remote:Command", "shop").inputs["delete"]).toBe(
      `S=; [ "$(id -u)" = 0 ] || S='sudo -n'; ! $S test -e /var/lib/slipway/shop/remove.sh || $S /var/lib/slipway/shop/remove.sh`,
    );
  });

  it("reads the receipt from the last line", async () => {
    const { outputs } = await record(async () => ship(), { answers });
    expect(outputs.receipt).toEqual(receipt);
  });

  it("fails when the script ended without a receipt", () => {
    expect(() => parseReceipt("prepare", "")).toThrow(
      /RemoteScript "prepare": the script ended without a receipt/,
    );
  });
});

describe("ComposeRelease", () => {
  it("ships the secrets intact inside the payload and in no other input", async () => {
    const recording = await record(async () => ship(), { answers });
    const payload = files(recording.find("command:remote:Command", "shop-release").inputs["stdin"]);
    expect(payload["app/.env"]).toContain(`SECRET_KEY="django @ \\$ # ' \\" % \\\\ key"`);
    expect(JSON.parse(payload["registry.json"] ?? "")).toEqual({
      server: "r.example",
      username: "reader",
      password,
    });
    expect(JSON.parse(payload["secrets.json"] ?? "")).toEqual(expect.arrayContaining([secretKey, password]));
    expect(leaks(recording, [secretKey, password, privateKey])).toEqual([]);
  });

  it("waits for the slot of its app", async () => {
    const { find } = await record(async () => ship(), { answers });
    expect(find("command:remote:Command", "shop-release").dependsOn).toContain(
      find("command:remote:Command", "shop").urn,
    );
  });

  it("sends every script that release.sh sources", async () => {
    const { find } = await record(async () => ship(), { answers });
    const payload = files(find("command:remote:Command", "shop-release").inputs["stdin"]);
    const parts = /for part in ([a-z ]+); do/.exec(payload["release.sh"] ?? "")?.[1]?.split(" ") ?? [];
    expect(parts.length).toBeGreaterThan(5);
    expect(Object.keys(payload)).toEqual(expect.arrayContaining(parts.map((part) => `${part}.sh`)));
  });

  it("refuses an image that turns out to be none before a command of the release is sent", async () => {
    const app = {
      ...releaseArgs().app,
      images: { ...releaseArgs().app.images, web: pulumi.output("Not An Image") },
    };
    const { message, urns } = await recordFailure(async () => ship({ app }), { answers });
    expect(message).toMatch(/ComposeRelease "shop-release"[^]*images\.web: received/);
    expect(urns.filter((urn) => urn.endsWith("command:remote:Command::shop-release"))).toEqual([]);
  });

  it.each([
    ["release 0", { release: 0 }, /release: received 0; accepted: a whole number from 1 on/],
    ["half a release to keep", { keepReleases: 1.5 }, /keepReleases: received 1.5/],
    [
      "an ingress that is no service",
      { app: { ...releaseArgs().app, ingress: { service: "ngnix", port: 80 } } },
      /ingress.*ngnix.*nginx, web|ingress.*ngnix/s,
    ],
    [
      "the slot of another app",
      { app: { ...releaseArgs().app, name: "other" } },
      /slot: received the slot of shop; accepted: a slot of other/,
    ],
  ] as [string, Partial<ComposeReleaseArgs>, RegExp][])(
    "refuses %s before anything is registered, which would need an engine that is not there",
    (_, changes, message) => {
      const slot = { app: "shop" } as AppSlot;
      const args = { ...releaseArgs(changes), host: host(), slot };
      expect(() => new ComposeRelease("shop-release", args)).toThrow(message);
    },
  );
});
