/** @jest-environment ./test/support/rejections.ts */
import * as pulumi from "@pulumi/pulumi";
import { ExistingHost, type ExistingHostArgs } from "../../../components/release/existingHost";
import { parsePublicKey } from "../../../components/release/hostKey";
import { answers, keyPair, secretTexts } from "../../support/cloud";
import { payloadFiles } from "../../support/payload";
import { leaks, record, recordFailure, valueOf } from "../../support/recorder";

jest.mock("../../../components/release/checkConnection", () => ({
  checkConnection: (connection: unknown) => connection,
}));

const hostKey = parsePublicKey(keyPair("server").public);
const make =
  (args: Partial<ExistingHostArgs> = {}) =>
  () => ({
    host: new ExistingHost("host", {
      address: "203.0.113.7",
      hostKey: hostKey.line,
      privateKey: keyPair("login").private,
      ...args,
    }),
  });
const command = "command:remote:Command";

test("a server that is there is prepared and nothing else", async () => {
  const recording = await record(make(), { answers });
  const prefix = "urn:pulumi:test::slipway::slipway:index:ExistingHost";
  expect(recording.urns()).toEqual([
    `${prefix}$slipway:index:RemoteScript$command:remote:Command::host-prepare`,
    `${prefix}$slipway:index:RemoteScript::host-prepare`,
    `${prefix}::host`,
  ]);
});

test("its key is pinned, and another key is another machine", async () => {
  const recording = await record(make({ port: 2222, user: "root" }), { answers });
  const { connection, triggers } = recording.find(command).inputs;
  expect(connection).toMatchObject({ host: "203.0.113.7", port: 2222, user: "root", hostKey: hostKey.line });
  expect(triggers).toEqual([hostKey.fingerprint]);
  expect(await valueOf(recording.outputs.host.hostKeyFingerprint)).toBe(hostKey.fingerprint);
});

test("it stays the same machine with another host key when it has a name", async () => {
  const recording = await record(make({ identity: "the one in the cellar" }), { answers });
  expect(recording.find(command).inputs["triggers"]).toEqual(["the one in the cellar"]);
  expect(await valueOf(recording.outputs.host.hostKeyFingerprint)).toBe(hostKey.fingerprint);
});

const authorizedKeysOf = async (args: Partial<ExistingHostArgs>) => {
  const recording = await record(make(args), { answers });
  return (await payloadFiles(recording.find(command).inputs["stdin"]))["authorized_keys"];
};

test("a server's own authorized_keys are not replaced by somebody who said nothing about them", async () => {
  expect(await authorizedKeysOf({})).toBe("");
});

test("nobody is locked out: the key we log in with stays among the authorized ones", async () => {
  const own = parsePublicKey(keyPair("login").public).line;
  const ann = keyPair("ann").public;
  expect(await authorizedKeysOf({ authorizedKeys: [ann] })).toBe(`${own}\n${ann}\n`);
  expect(await authorizedKeysOf({ authorizedKeys: [] })).toBe(`${own}\n`);
  expect(await authorizedKeysOf({ authorizedKeys: [keyPair("login").public, ann] })).toBe(`${own}\n${ann}\n`);
});

test("the private key is secret everywhere", async () => {
  const recording = await record(make(), { answers });
  expect(leaks(recording, secretTexts())).toEqual([]);
  expect(await pulumi.isSecret(recording.outputs.host.connection)).toBe(true);
});

test.each<[Partial<ExistingHostArgs>, string, string]>([
  [{ address: "deploy@203.0.113.7" }, 'address: received "deploy@203.0.113.7"', "leave out user"],
  [{ user: "Root!" }, 'user: received "Root!"', "lower case"],
  [{ port: 0 }, "port: received 0", "for 22"],
  [{ hostKey: "ssh-rsa AAAA" }, 'hostKey: received "ssh-rsa AAAA"', "cat /etc/ssh"],
  [{ privateKey: "hunter2" }, "privateKey: received a secret value", "ssh-keygen"],
  [{ authorizedKeys: ["x"] }, 'authorizedKeys[0]: received "x"', "id_ed25519.pub"],
])("%j is refused before anything is registered", async (args, expected, cure) => {
  const { message, urns } = await recordFailure(make(args), { answers });
  expect(message).toContain('ExistingHost "host"');
  expect(message).toContain(expected);
  expect(message).toContain(cure);
  expect(message).not.toContain("hunter2");
  expect(urns).toEqual([]);
});

test("a host key that turns out to be none is refused before a command is sent", async () => {
  const { message, urns } = await recordFailure(make({ hostKey: pulumi.output(Promise.resolve("none")) }), {
    answers,
  });
  expect(message).toContain('hostKey: received "none"');
  expect(urns.join()).not.toContain(command);
});

const later = (value: string) => pulumi.output(Promise.resolve(value));
test.each<[string, Partial<ExistingHostArgs>, string]>([
  ["an authorized key", { authorizedKeys: [later("x")] }, 'authorizedKeys[0]: received "x"'],
  ["a private key", { privateKey: later("hunter2") }, "privateKey: received a secret value"],
])("%s that turns out to be none is refused before a command is sent", async (_, args, expected) => {
  const { message, urns } = await recordFailure(make(args), { answers });
  expect(message).toContain(expected);
  expect(message).not.toContain("hunter2");
  expect(urns.join()).not.toContain(command);
});
