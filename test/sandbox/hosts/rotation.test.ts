// Every credential of a stack is changed while users are served: the new one is added, an update, the old one is dropped,
// an update. No request fails, nothing that lives is replaced, and the old one is refused afterwards. Not proven here:
// that GitLab or DigitalOcean refuse what was revoked there.
import type { RunningLoad } from "../../../cli/rehearse/load/load";
import { tryLogin } from "../../../components/release/checkConnection";
import { keyPair } from "../../support/keyPair";
import { describeSandbox } from "../support";
import { HostStack } from "./hostStack";

const minutes = 60_000;
const stack = new HostStack("rotation");
let load: RunningLoad;

/** How an attempt to log in on the host ends. */
async function login(key: string, hostKey: string, user = "deploy") {
  const [droplet] = await stack.droplets();
  return tryLogin({
    host: droplet?.labels["slipway.public"] ?? "",
    user,
    privateKey: key,
    hostKey: hostKey.trim(),
  });
}

const containers = () => stack.road.onHost("docker ps --no-trunc --quiet | sort");
const lineOf = (publicKey: string): string => publicKey.trim().split(" ").slice(0, 2).join(" ");

describeSandbox("rotation, under load", () => {
  beforeAll(async () => {
    await stack.remove();
    await stack.begin(["release-1", "release-2"]);
    load = await stack.road.startLoad({ releases: 1, requestsPerSecond: 40 });
  }, 10 * minutes);
  afterAll(async () => {
    load?.kill();
    await stack.remove();
  }, 2 * minutes);

  it(
    "the deploy key: from the one made here to the next one, and from that to one of your own",
    async () => {
      const [before, droplets] = [await containers(), await stack.droplets()];
      const hostKey = lineOf(stack.output("host-host-key", "publicKeyOpenssh"));
      const first = stack.output("host-deploy-key", "privateKeyOpenssh");
      const host = (changes: object) => stack.up({ "slipway:host": changes });

      expect((await host({ deployKeyGenerations: [1, 2] })).lost).toEqual([]);
      expect(await login(first, hostKey)).toBe("in");
      expect((await host({ deployKeyGenerations: [2] })).lost).toEqual(["deleted host-deploy-key"]);
      const second = stack.output("host-deploy-key-2", "privateKeyOpenssh");
      expect(await login(second, hostKey)).toBe("in");
      for (const user of ["deploy", "root"]) expect(await login(first, hostKey, user)).toBe("refused");

      const own = keyPair();
      expect((await host({ authorizedKeys: [own.public] })).lost).toEqual([]);
      const changed = await host({
        authorizedKeys: [],
        deployKeyGenerations: null,
        privateKey: { secret: own.private },
      });
      expect(changed.lost).toEqual(["deleted host-deploy-key-2"]);
      expect(await login(own.private, hostKey)).toBe("in");
      expect(await login(second, hostKey)).toBe("refused");

      expect((await stack.droplets()).map(({ id }) => id)).toEqual(droplets.map(({ id }) => id));
      expect(await containers()).toBe(before);
    },
    3 * minutes,
  );

  it(
    "the host key: the old and the new one are shown side by side, and connections stay pinned",
    async () => {
      const before = await containers();
      const host = (changes: object) => stack.up({ "slipway:host": changes });
      const old = lineOf(stack.output("host-host-key", "publicKeyOpenssh"));
      const key = (stack.current("slipway:host") as { privateKey: { secret: string } }).privateKey.secret;

      const added = await host({ hostKeyGenerations: [1, 2] });
      expect(added.lost).toEqual([]);
      const next = lineOf(stack.output("host-host-key-2", "publicKeyOpenssh"));
      expect(next).toMatch(/^ecdsa-sha2-nistp256 /);
      expect([await login(key, old), await login(key, next)]).toEqual(["in", "in"]);

      const dropped = await host({ hostKeyGenerations: [2] });
      expect(dropped.lost).toEqual(["deleted host-host-key"]);
      expect(dropped.outputs["hostKeyFingerprint"]).not.toBe(added.outputs["hostKeyFingerprint"]);
      expect(await login(key, next)).toBe("in");
      expect(await login(key, old)).toEqual({ wrongHostKey: "no key of type ssh-ed25519" });

      expect(await containers()).toBe(before);
    },
    3 * minutes,
  );

  it(
    "the database password: the old login works until it is closed, and is refused from then on",
    async () => {
      const { id } = (await stack.sandbox.find("database")) ?? { id: "" };
      const first = stack.output("database-password-a", "result");
      const select = (login: string, password: string) =>
        stack.road.onHost(
          `PGPASSWORD='${password}' psql --no-psqlrc -tA 'host=${stack.output("database", "privateHost")} port=25060 dbname=notes user=${login} sslmode=require' -c 'SELECT 1' 2>&1 || true`,
        );
      expect(await select("notes_a", first)).toBe("1");
      expect((await stack.up({ "slipway:database": { loginGeneration: 2 } })).lost).toEqual([
        // The password itself: letters that are drawn anew.
        "replaced database-password-b",
      ]);
      expect(await select("notes_a", first)).toBe("1");
      expect((await stack.up({ "slipway:database": { closedLoginGeneration: 1 } })).lost).toEqual([]);
      expect(await select("notes_a", first)).toMatch(/authentication failed|not permitted to log in/);
      expect(await select("notes_b", stack.output("database-password-b", "result"))).toBe("1");
      expect((await stack.sandbox.find("database"))?.id).toBe(id);
    },
    3 * minutes,
  );

  it(
    "SECRET_KEY: what the old one signed is read until it is dropped",
    async () => {
      const python = (code: string) =>
        stack.road.manage(`shell --no-imports -c "${code}" 2>&1 || true`, "app");
      const signing = "from django.core import signing;";
      const signed = await python(`${signing} print(signing.dumps('ann'))`);
      const read = () => python(`${signing} print(signing.loads('${signed}'))`);
      expect((await stack.up({ "slipway:secretKeyGenerations": [2, 1] })).lost).toEqual([]);
      expect(await read()).toBe("ann");
      expect((await stack.up({ "slipway:secretKeyGenerations": [2] })).lost).toEqual(["deleted secret-key"]);
      expect(await read()).toContain("BadSignature");
    },
    3 * minutes,
  );

  it(
    "the registry token: the next release is fetched with the new one, after the old one was revoked",
    async () => {
      const htpasswd = "/etc/slipway/htpasswd";
      await stack.inRegistry(`htpasswd -niB -C 5 second | head -n 1 >>${htpasswd}`, "token-2");
      const registry = { username: "second", password: { secret: "token-2" } };
      expect((await stack.up({ "slipway:registry": registry })).lost).toEqual([]);
      const old = await stack.inRegistry("cat /etc/slipway/password");
      await stack.inRegistry(`sed -i '/^deploy:/d' ${htpasswd}`);
      const status = await stack.inRegistry(
        `curl -sk -o /dev/null -w '%{http_code}' -u 'deploy:${old}' https://127.0.0.1:5000/v2/`,
      );
      expect(status).toBe("401");
      expect((await stack.release("release-2")).lost).toEqual(["replaced notes-release"]);
    },
    3 * minutes,
  );

  it("dropped no request", async () => {
    const { failures, requests } = await load.finish({ minRequests: 1000, withinSeconds: 30 });
    expect(failures).toEqual([]);
    expect(requests).toBeGreaterThanOrEqual(1000);
  }, 60_000);
});
