import { command } from "../../../cli/sandbox/resources/command";
import type { ExistingCall, ResourceCall, ResourceHandler } from "../../../cli/sandbox/resources/handler";
import { finish, newKey, SshServer } from "./sshServer";

let server: SshServer;
let port: number;
let lines: string[];
beforeEach(async () => {
  server = new SshServer();
  port = await server.listen();
  lines = [];
});
afterEach(async () => {
  await server.close();
});

function handler(): Required<Pick<ResourceHandler, "create" | "update" | "delete">> {
  return command.resources["command:remote:Command"] as Required<ResourceHandler>;
}

function connection(changes: Record<string, unknown> = {}): Record<string, unknown> {
  const { privateKey } = server.userKey;
  const base = { host: "127.0.0.1", port, user: "deploy", privateKey, dialErrorLimit: 0, perDialTimeout: 5 };
  return { ...base, hostKey: server.hostKey.publicKey, ...changes };
}

function call(inputs: Record<string, unknown>, signal = new AbortController().signal): ExistingCall {
  const who = { type: "command:remote:Command", name: "release", urn: "urn", id: "release1" };
  const all = { connection: connection(), ...inputs };
  return { ...who, inputs: all, oldInputs: all, outputs: {}, signal, log: (line) => void lines.push(line) };
}

const secret = "p@ss $ # ' \" % \\ word";

test("create runs over SSH with its stdin, and gives both outputs without their last newline", async () => {
  server.respond = (channel) => finish(channel, 0, "one\ntwo\n", "warned\n");
  const { outputs, id } = await handler().create(call({ create: "sh -s", stdin: secret, logging: "none" }));
  expect(server.received).toEqual([{ command: "sh -s", stdin: secret }]);
  expect(outputs).toEqual({ stdout: "one\ntwo", stderr: "warned" });
  expect(id).toMatch(/^release[0-9a-f]{8}$/);
  expect(lines).toEqual([]);
});

test("a host key other than the pinned one is refused before anything is sent", async () => {
  const pinned = newKey();
  const inputs = { connection: connection({ hostKey: pinned.publicKey }), create: "sh -s", stdin: secret };
  await expect(handler().create(call(inputs))).rejects.toThrow(
    `host key mismatch: 127.0.0.1 presents ${server.hostKey.fingerprintSha256}, pinned is ${pinned.fingerprintSha256}`,
  );
  expect(server.received).toEqual([]);
});

test("without a pinned host key nothing is verified, as in the provider", async () => {
  const inputs = { connection: connection({ hostKey: undefined }), create: "true" };
  await handler().create(call(inputs));
  expect(server.received).toHaveLength(1);
});

test("wrong credentials fail, after as many attempts as the limit allows and one more", async () => {
  const inputs = {
    connection: connection({ privateKey: newKey().privateKey, dialErrorLimit: 1 }),
    create: "true",
  };
  await expect(handler().create(call(inputs))).rejects.toThrow(
    `after 2 failed attempts: ssh: cannot connect to 127.0.0.1:${port}: unable to authenticate`,
  );
  expect(server.connections).toBe(2);
  expect(server.received).toEqual([]);
});

test("a host that does not answer yet is tried again", async () => {
  await server.close();
  const later = new SshServer();
  const inputs = {
    connection: connection({
      privateKey: later.userKey.privateKey,
      hostKey: later.hostKey.publicKey,
      dialErrorLimit: 30,
    }),
    create: "true",
  };
  const running = handler().create({
    ...call(inputs),
    log: (line) => {
      lines.push(line);
      if (lines.length === 2) void later.listen(port);
    },
  });
  await running;
  expect(later.received).toHaveLength(1);
  expect(lines.slice(0, 2)).toEqual(["dial 1/30 failed: retrying", "dial 2/30 failed: retrying"]);
  await later.close();
});

test("exit code 7 fails with the command and its combined output, and without its stdin", async () => {
  server.respond = (channel) => finish(channel, 7, "out\n", "err\n");
  const failure = Promise.resolve(handler().create(call({ create: 'run "x"', stdin: secret })));
  await expect(failure).rejects.toThrow('Process exited with status 7: running "run \\"x\\"":\n');
  const message = await failure.catch((error: Error) => error.message);
  expect(message).toContain("out\n");
  expect(message).toContain("err\n");
  expect(message).not.toContain(secret);
});

test("a connection that is cut fails at once", async () => {
  server.respond = () => void server.close();
  await expect(handler().create(call({ create: "sleep 60" }))).rejects.toThrow(
    'remote command exited without exit status or exit signal: running "sleep 60"',
  );
});

test("an interruption breaks a running command off", async () => {
  const interruption = new AbortController();
  server.respond = () => interruption.abort();
  await expect(handler().create(call({ create: "sleep 60" }, interruption.signal))).rejects.toThrow(
    "interrupted",
  );
});

test("an update runs update, else create; a deletion runs delete, else nothing", async () => {
  await handler().update(call({ create: "c", update: "u" }));
  await handler().update(call({ create: "c" }));
  await handler().delete(call({ create: "c", delete: "d" }));
  await handler().delete(call({ create: "c" }));
  expect(server.received.map((received) => received.command)).toEqual(["u", "c", "d"]);
});

test("output is passed on line by line, unless logging is none", async () => {
  server.respond = (channel) => finish(channel, 0, "one\ntwo\n");
  await handler().create(call({ create: "x" }));
  expect(lines).toEqual(["one", "two"]);
});

test.each([
  [{ environment: { TOKEN: "x" } }, "environment: needs AcceptEnv"],
  [{ connection: { host: "h", proxy: { host: "p" } } }, "connection.proxy"],
  [{ connection: { host: "h", agentSocketPath: "/s" } }, "connection.agentSocketPath"],
])("what would differ from the provider is refused: %#", async (inputs, message) => {
  const create = async (given: ResourceCall): Promise<unknown> => handler().create(given);
  await expect(create(call({ create: "x", ...inputs }))).rejects.toThrow(message);
});
