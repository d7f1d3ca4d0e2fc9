// A real SSH server on the loopback address, and what is said when it is not the one, or not there.
import { openSession } from "../../../cli/day2/session";
import type { AppAccess } from "../../../components/release/day2";
import { finish, newKey, SshServer } from "../sandbox/sshServer";
import { refusalOf } from "./support";

let server: SshServer;
let port: number;
beforeEach(async () => {
  server = new SshServer();
  port = await server.listen();
});
afterEach(() => server.close());

function access(changes: Partial<AppAccess["connection"]> = {}): AppAccess {
  const connection = {
    ...{ host: "127.0.0.1", port, user: "deploy" },
    privateKey: server.userKey.privateKey,
    hostKey: server.hostKey.publicKey,
    ...changes,
  };
  return { target: "compose", app: "shop", releasesFile: "r.yaml", managedDatabase: false, connection };
}

test("a verb goes to the host's script, with its stdin, and its answer comes back", async () => {
  server.respond = (channel) => finish(channel, 3, "out", "err");
  const session = await openSession(access());
  expect(await session.capture(["rollback"], "order")).toEqual({ code: 3, stdout: "out", stderr: "err" });
  expect(server.received[0]).toMatchObject({ stdin: "order" });
  expect(server.received[0]?.command).toMatch(/\/var\/lib\/slipway\/shop\/bin\/day2\.sh rollback$/);
  session.close();
});

test("what the host refuses is told in its own words", async () => {
  server.respond = (channel) =>
    finish(channel, 125, "", "slipway: no release of shop serves\n  cure: ship one\n");
  const session = await openSession(access());
  const { code, text } = await refusalOf(() => session.capture(["status"]));
  expect({ code, text }).toEqual({ code: 1, text: "no release of shop serves\n  cure: ship one" });
  session.close();
});

test("a connection that is cut is no end of the command", async () => {
  server.respond = (channel) => channel.destroy();
  const session = await openSession(access());
  expect((await refusalOf(() => session.capture(["status"]))).text).toMatch(
    /connection to the host was lost\n.*slipway status/,
  );
  session.close();
});

test("another host key is another machine", async () => {
  const { text } = await refusalOf(() => openSession(access({ hostKey: newKey().publicKey })));
  expect(text).toMatch(/is not the host of this stack\n.*received: host key SHA256:.*pinned is SHA256:/);
  expect(server.connections).toBe(1);
  expect(server.received).toEqual([]);
});

test("a key that is refused, and a host that is away, each have a cure", async () => {
  const refusedKey = await refusalOf(() => openSession(access({ privateKey: newKey().privateKey })));
  expect(refusedKey.text).toMatch(/refuses the stack's key\n.*\n.*\n.*cure: run pulumi up/);
  const away = await refusalOf(() => openSession(access({ port: 1 })));
  expect(away.text).toMatch(/127\.0\.0\.1:1 cannot be reached: .*ECONNREFUSED.*\n.*slipway:host\.sshFrom/);
});
