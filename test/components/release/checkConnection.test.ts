import type { AddressInfo } from "node:net";
import { Server, utils } from "ssh2";
import { tryLogin, waitForLogin } from "../../../components/release/checkConnection";
import { keyPair } from "../../support/keyPair";

const hostKey = keyPair();
const otherKey = keyPair();
const userKey = keyPair();
const firstTwoWords = (line: string): string => line.split(" ").slice(0, 2).join(" ");

let server: Server;
let port: number;
let logins: number;

beforeEach(async () => {
  logins = 0;
  const allowed = utils.parseKey(userKey.public);
  if (allowed instanceof Error) throw allowed;
  server = new Server({ hostKeys: [hostKey.private] }, (client) => {
    client.on("error", () => undefined);
    client.on("authentication", (context) => {
      logins += 1;
      const known = context.method === "publickey" && context.key.data.equals(allowed.getPublicSSH());
      if (known) context.accept();
      else context.reject(["publickey"]);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  port = (server.address() as AddressInfo).port;
});

afterEach(() => new Promise<void>((resolve) => server.close(() => resolve())));

const connection = (changes: { hostKey?: string; privateKey?: string; port?: number } = {}) => ({
  host: "127.0.0.1",
  port,
  user: "deploy",
  privateKey: userKey.private,
  hostKey: firstTwoWords(hostKey.public),
  ...changes,
});

describe("waitForLogin", () => {
  it("lets the right key in", async () => {
    await expect(waitForLogin(connection(), "Host", 5)).resolves.toBeUndefined();
    expect(logins).toBeGreaterThan(0);
  });

  it("refuses another host key than the pinned one before it logs in, and says what came", async () => {
    const wrong = connection({ hostKey: firstTwoWords(otherKey.public) });
    await expect(waitForLogin(wrong, 'ExistingHost "vps"', 60)).rejects.toThrow(
      /ExistingHost "vps": connection\.hostKey: .* received ssh-ed25519 .*Nothing was sent/s,
    );
    expect(logins).toBe(0);
  });

  it("refuses a key that the server does not know at once, without printing it", async () => {
    const stranger = keyPair().private;
    const attempt = waitForLogin(connection({ privateKey: stranger }), "Host", 60);
    await expect(attempt).rejects.toThrow(
      /connection\.privateKey: deploy@127\.0\.0\.1:\d+ refuses the login/,
    );
    await expect(attempt).rejects.not.toThrow(/BEGIN/);
  });

  it("gives a machine that is booting a while to make its user, and believes it then", async () => {
    const stranger = connection({ privateKey: keyPair().private });
    const started = Date.now();
    await expect(waitForLogin(stranger, "Host", 60, { bootSeconds: 2 })).rejects.toThrow(/refuses the login/);
    expect(Date.now() - started).toBeGreaterThanOrEqual(2000);
    expect(logins).toBeGreaterThan(1);
  });

  it("names a server that has no key of the pinned type, instead of waiting for it", async () => {
    const pinned = connection({
      hostKey: `ecdsa-sha2-nistp256 ${firstTwoWords(otherKey.public).split(" ")[1]}`,
    });
    await expect(waitForLogin(pinned, "Host", 60)).rejects.toThrow(
      /received no key of type ecdsa-sha2-nistp256/,
    );
  });

  it("waits for a server that does not answer yet, and leaves it to the provider after that", async () => {
    await new Promise<void>((resolve) => server.close(() => resolve()));
    expect(await tryLogin(connection())).toEqual({ unreachable: expect.any(String) as string });
    await expect(waitForLogin(connection(), "Host", 0)).resolves.toBeUndefined();
    server.listen(0, "127.0.0.1");
  });
});
