import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listResources, runProgram, type EngineEvent, type ProgramResult } from "../../../cli/sandbox/up";
import { finish, SshServer } from "./sshServer";

// A whole program in a process of its own, as the rehearsal runs it.

jest.setTimeout(60_000);
const programDirectory = join(__dirname, "fixtures/program");
let directory: string;
let events: EngineEvent[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "slipway-up-"));
  events = [];
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

interface Extra {
  readonly mode?: "up" | "preview" | "destroy";
  readonly config?: Record<string, never> | object;
  readonly showSecrets?: boolean;
  readonly signal?: AbortSignal;
}

function run({ mode = "up", config = {}, ...rest }: Extra = {}): Promise<ProgramResult> {
  // What the overlay would start containers for.
  const nothing = { "slipway:acme": null, "slipway:registry": null };
  return runProgram({
    ...rest,
    stack: "dev",
    mode,
    config: { ...nothing, ...(config as Record<string, never>) },
    programDirectory,
    sandboxDirectory: directory,
    onEvent: (event) => void events.push(event),
  });
}

function logLines(): string[] {
  return events.flatMap((event) => (event.kind === "log" ? [event.line] : []));
}

test("up, up again, preview and destroy", async () => {
  const first = await run({ showSecrets: true });
  expect(first).toMatchObject({ ok: true, changes: { created: 2 } });
  expect(first.outputs).toMatchObject({ port: 22, list: [1, "two"] });
  const password = String(first.outputs["password"]);
  expect(password).toHaveLength(20);
  expect(logLines()).toContain("running as good");
  expect(logLines().filter((line) => line.startsWith("shop:login.password: the secret"))).toHaveLength(1);

  const state = join(directory, "state.json");
  expect(readFileSync(state, "utf8")).not.toContain(password);
  expect(readFileSync(state, "utf8")).not.toContain("OPENSSH PRIVATE KEY");
  expect(statSync(join(directory, "key")).mode & 0o777).toBe(0o600);

  const second = await run();
  expect(second.changes).toEqual({ created: 0, updated: 0, replaced: 0, unchanged: 2, deleted: 0 });
  expect(second.outputs).toMatchObject({ password: "[secret]", publicKey: first.outputs["publicKey"] });
  expect(second.outputs).toMatchObject({ user: "[secret]" });
  expect(listResources({ stack: "dev", programDirectory, sandboxDirectory: directory })).toContainEqual(
    expect.objectContaining({
      name: "password",
      outputs: expect.objectContaining({ result: "[secret]" }) as unknown,
    }),
  );

  const destroyed = await run({ mode: "destroy" });
  expect(destroyed).toMatchObject({ ok: true, changes: { deleted: 2 } });
  expect(listResources({ stack: "dev", programDirectory, sandboxDirectory: directory })).toEqual([]);
  expect(await run({ mode: "preview" })).toMatchObject({ ok: true, changes: { created: 2 } });
});

test("a protected resource survives the destruction of its stack", async () => {
  await run({ config: { mode: "protected" } });
  const result = await run({ mode: "destroy" });
  expect(result.ok).toBe(false);
  expect(result.error).toMatch(/"password" \[random:index\/randomPassword:RandomPassword\] is protected/);
});

describe("with a host", () => {
  let server: SshServer;
  let port: number;
  beforeEach(async () => {
    server = new SshServer();
    port = await server.listen();
  });
  afterEach(async () => {
    await server.close();
  });

  function ssh(changes: object = {}): object {
    const { privateKey } = server.userKey;
    const connection = { host: "127.0.0.1", port, privateKey, hostKey: server.hostKey.publicKey, ...changes };
    return { "shop:ssh": { secret: JSON.stringify({ dialErrorLimit: 0, ...connection }) } };
  }

  test("a command runs once per trigger, and its secrets stay out of state and outputs", async () => {
    server.respond = (channel) => finish(channel, 0, "receipt\n");
    const config = { ...ssh(), "shop:login": { user: "admin", password: { secret: "tricky $ value" } } };
    expect(await run({ config })).toMatchObject({ ok: true, outputs: { receipt: "receipt" } });
    await run({ config });
    expect(server.received).toHaveLength(1);
    expect(server.received[0]?.stdin).toMatch(/^tricky \$ value .{20}$/);
    const again = await run({ config: { ...config, release: "2" } });
    expect(again.changes).toMatchObject({ replaced: 1, unchanged: 3 });
    expect(server.received).toHaveLength(2);
    const state = readFileSync(join(directory, "state.json"), "utf8");
    expect(state).not.toContain("tricky $ value");
    expect(state).not.toContain("OPENSSH PRIVATE KEY");
  });

  test("a failed command fails the run with its whole message, and a failed replacement keeps the old one", async () => {
    await run({ config: ssh() });
    server.respond = (channel) => finish(channel, 7, "", "disk full\n");
    const result = await run({ config: { ...ssh(), release: "2" } });
    expect(result.ok).toBe(false);
    expect(result.error).toBe(
      '"release" [command:remote:Command]: Process exited with status 7: running "sh -s":\ndisk full\n',
    );
    expect(events).toContainEqual(expect.objectContaining({ kind: "failed", name: "release" }));
    const [release] = listResources({ stack: "dev", programDirectory, sandboxDirectory: directory }).filter(
      ({ name }) => name === "release",
    );
    expect(release?.inputs["triggers"]).toEqual([null]);
  });

  test("an interruption ends the run, and what is done stays done", async () => {
    const interruption = new AbortController();
    server.respond = () => interruption.abort();
    const result = await run({ config: ssh(), signal: interruption.signal });
    expect(result.ok).toBe(false);
    expect(result.error).toContain("interrupted");
    const names = listResources({ stack: "dev", programDirectory, sandboxDirectory: directory }).map(
      ({ name }) => name,
    );
    expect(names).toEqual(expect.arrayContaining(["password", "key"]));
    expect(names).not.toContain("release");
  });
});

test("an interruption also ends a program that is busy with something else", async () => {
  const interruption = new AbortController();
  const running = run({ config: { mode: "waits" }, signal: interruption.signal });
  const started = (): boolean => events.filter((event) => event.kind === "resource").length === 2;
  while (!started()) await new Promise((resolve) => setTimeout(resolve, 20));
  interruption.abort();
  expect(await running).toMatchObject({ ok: false, error: "interrupted", changes: { created: 2 } });
});

test.each([
  ["throws", "the program itself is wrong"],
  ["apply", "wrong inside apply"],
])("an error of the program (%s) fails the run and deletes nothing", async (mode, message) => {
  await run();
  const result = await run({ config: { mode } });
  expect(result).toMatchObject({ ok: false, error: message });
  expect(listResources({ stack: "dev", programDirectory, sandboxDirectory: directory })).toHaveLength(3);
});

test("two runs at once on one stack: the second is refused and says who is there", async () => {
  writeFileSync(join(directory, "lock"), String(process.pid));
  const result = await run();
  expect(result.error).toContain(`is in use by process ${process.pid}`);
});

test("the lock of a process that is gone is taken over", async () => {
  writeFileSync(join(directory, "lock"), "999999999");
  expect(await run({ mode: "destroy" })).toMatchObject({ ok: true });
});

test("a stack without a file is refused", async () => {
  const result = await runProgram({
    stack: "nowhere",
    mode: "up",
    programDirectory,
    sandboxDirectory: directory,
  });
  expect(result.error).toMatch(/Pulumi\.nowhere\.yaml is missing: there is no stack "nowhere"/);
});
