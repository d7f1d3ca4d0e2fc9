/** @jest-environment ./test/support/rejections.ts */
// Not proven here: that DigitalOcean accepts the inputs, that cloud-init obeys, that the host can be reached.
import * as pulumi from "@pulumi/pulumi";
import { DockerHost, type DockerHostArgs } from "../../../components/digitalocean";
import { parsePublicKey } from "../../../components/release/hostKey";
import { answers, calls, keyPair, secretTexts } from "../../support/cloud";
import { payloadFiles } from "../../support/payload";
import { leaks, record, recordFailure, valueOf } from "../../support/recorder";

jest.mock("../../../components/release/checkConnection", () => ({
  checkConnection: (connection: unknown) => connection,
}));

const make = (args: Partial<DockerHostArgs>) => () => ({
  host: new DockerHost("host", { region: "fra1", ...args }),
});
const run = (args: Partial<DockerHostArgs> = {}) => record(make(args), { answers, calls });
const command = "command:remote:Command";
const ann = keyPair("ann").public;

describe("a DockerHost with the defaults", () => {
  test("is these resources", async () => {
    const prefix = "urn:pulumi:test::slipway::slipway:index:DockerHost";
    expect((await run()).urns()).toEqual([
      `${prefix}$digitalocean:index/droplet:Droplet::host`,
      `${prefix}$digitalocean:index/firewall:Firewall::host-firewall`,
      `${prefix}$digitalocean:index/sshKey:SshKey::host-ssh-key`,
      `${prefix}$digitalocean:index/tag:Tag::host-tag`,
      `${prefix}$digitalocean:index/vpc:Vpc::host-vpc`,
      `${prefix}$slipway:index:RemoteScript$command:remote:Command::host-prepare`,
      `${prefix}$slipway:index:RemoteScript::host-prepare`,
      `${prefix}$tls:index/privateKey:PrivateKey::host-deploy-key`,
      `${prefix}$tls:index/privateKey:PrivateKey::host-host-key`,
      `${prefix}::host`,
    ]);
  });

  test("asks for a small Debian machine, tagged with project and stack", async () => {
    const { userData, ...inputs } = (await run()).find("digitalocean:index/droplet:Droplet").inputs;
    expect(userData).toContain("#cloud-config\n");
    expect(inputs).toEqual({
      name: "slipway-test-host",
      region: "fra1",
      size: "s-1vcpu-2gb",
      image: "debian-13-x64",
      vpcUuid: "vpc-uuid",
      sshKeys: ["4711"],
      monitoring: true,
      backups: false,
      tags: ["project:slipway", "stack:test", "slipway-test-host"],
    });
  });

  test("does not replace the machine for keys, userData or a newer image", async () => {
    const droplet = (await run()).find("digitalocean:index/droplet:Droplet");
    expect(droplet.ignoreChanges).toEqual(["userData", "sshKeys", "image"]);
  });

  test("lets in SSH, HTTP and HTTPS and nothing else, from the machine's first second", async () => {
    const recording = await run();
    const firewall = recording.find("digitalocean:index/firewall:Firewall");
    const anywhere = ["0.0.0.0/0", "::/0"];
    expect(firewall.inputs).toEqual({
      name: "slipway-test-host",
      tags: ["slipway-test-host"],
      inboundRules: [
        { protocol: "tcp", portRange: "22", sourceAddresses: anywhere },
        { protocol: "tcp", portRange: "80", sourceAddresses: anywhere },
        { protocol: "tcp", portRange: "443", sourceAddresses: anywhere },
      ],
      outboundRules: [
        { protocol: "tcp", portRange: "1-65535", destinationAddresses: anywhere },
        { protocol: "udp", portRange: "1-65535", destinationAddresses: anywhere },
        { protocol: "icmp", destinationAddresses: anywhere },
      ],
    });
    expect(recording.find("digitalocean:index/droplet:Droplet").dependsOn).toContain(firewall.urn);
  });

  test("pins the host key that it puts on the machine", async () => {
    const recording = await run();
    const { line, fingerprint } = parsePublicKey(keyPair("host-host-key").public);
    const { userData } = recording.find("digitalocean:index/droplet:Droplet").inputs;
    expect(userData).toContain(`ed25519_public: ${line}`);
    expect(recording.find(command).inputs["connection"]).toMatchObject({
      host: "203.0.113.7",
      user: "deploy",
      hostKey: line,
    });
    expect(await valueOf(recording.outputs.host.hostKeyFingerprint)).toBe(fingerprint);
  });

  test("prepares the machine again when it is another one, and not piece by piece when it goes", async () => {
    const recording = await run();
    const prepare = recording.find(command, "host-prepare");
    expect(prepare.inputs["triggers"]).toEqual(["101"]);
    expect(prepare.deletedWith).toBe(recording.find("digitalocean:index/droplet:Droplet").urn);
  });

  test("keeps every private key secret", async () => {
    const recording = await run({ deployPrivateKey: keyPair("given").private });
    expect(leaks(recording, secretTexts())).toEqual([]);
    expect(recording.find("digitalocean:index/droplet:Droplet").secretPaths).toContain("userData");
    expect(recording.find(command).secretPaths).toEqual(expect.arrayContaining(["connection", "stdin"]));
    expect(await pulumi.isSecret(recording.outputs.host.connection)).toBe(true);
    expect(await pulumi.isSecret(recording.outputs.host.hostKeyFingerprint)).toBe(false);
  });
});

describe("a DockerHost", () => {
  test("joins a given VPC and makes none", async () => {
    const recording = await run({ vpcUuid: "given-vpc" });
    expect(recording.find("digitalocean:index/droplet:Droplet").inputs["vpcUuid"]).toBe("given-vpc");
    expect(recording.resources.filter(({ type }) => type.includes("Vpc"))).toEqual([]);
  });

  test("takes a given deploy key, and names its public half to machine and account", async () => {
    const given = keyPair("given");
    const recording = await run({ deployPrivateKey: pulumi.secret(given.private), authorizedKeys: [ann] });
    const line = parsePublicKey(given.public).line;
    expect(recording.resources.map(({ name }) => name)).not.toContain("host-deploy-key");
    expect(recording.find("digitalocean:index/sshKey:SshKey").inputs["publicKey"]).toBe(line);
    const { authorized_keys } = await payloadFiles(recording.find(command).inputs["stdin"]);
    expect(authorized_keys).toBe(`${line}\n${ann}\n`);
  });

  test("names a deploy key once that is on its way in or out", async () => {
    const given = keyPair("given");
    const authorizedKeys = [`${given.public} new`, ann];
    const recording = await run({ deployPrivateKey: given.private, authorizedKeys });
    const { authorized_keys } = await payloadFiles(recording.find(command).inputs["stdin"]);
    expect(authorized_keys).toBe(`${parsePublicKey(given.public).line}\n${ann}\n`);
  });

  test("keeps uploads on a protected volume, which lets go of the old machine before it holds the new one", async () => {
    const recording = await run({ mediaVolumeGib: 20 });
    const volume = recording.find("digitalocean:index/volume:Volume");
    const attachment = recording.find("digitalocean:index/volumeAttachment:VolumeAttachment");
    expect(volume.inputs).toMatchObject({ name: "slipway-test-host-media", region: "fra1", size: 20 });
    expect(volume.protect).toBe(true);
    expect(attachment.inputs).toEqual({ volumeId: "volume-uuid", dropletId: 101 });
    expect(attachment.deleteBeforeReplace).toBe(true);
    const mount = recording.find(command, "host-media-mount");
    expect(mount.deleteBeforeReplace).toBe(true);
    expect(mount.inputs["delete"]).toContain("leave.sh volume");
    expect(mount.dependsOn).toContain(attachment.urn);
    expect(mount.inputs["triggers"]).toHaveLength(2);
    const { settings } = await payloadFiles(mount.inputs["stdin"]);
    expect(settings).toContain("volumeDevice=/dev/disk/by-id/scsi-0DO_Volume_slipway-test-host-media\n");
  });

  test("is prepared and has the images before the volume moves to it", async () => {
    const registry = { server: "registry.example.com", username: "reader", password: "token" };
    const prefetch = [{ images: ["registry.example.com/web@sha256:1"], registry }, { images: ["redis:7"] }];
    const recording = await run({ mediaVolumeGib: 20, prefetch });
    const images = recording.find(command, "host-images");
    const attachment = recording.find("digitalocean:index/volumeAttachment:VolumeAttachment");
    expect(images.dependsOn).toContain(recording.find(command, "host-prepare").urn);
    expect(attachment.dependsOn).toContain(images.urn);
    // Once for a machine: a release fetches its own images.
    expect(images.ignoreChanges).toEqual(["connection", "create", "stdin", "triggers"]);
    const { "images.json": list } = await payloadFiles(images.inputs["stdin"]);
    expect(JSON.parse(list ?? "")).toEqual([prefetch[0], { images: ["redis:7"], registry: null }]);
  });

  test("takes the certificates of the machine before it along, unless a data volume has them", async () => {
    const names = async (args: Partial<DockerHostArgs>) =>
      (await run({ reachedAt: "198.51.100.9", ...args })).resources
        .map(({ name }) => name)
        .filter((name) => name.includes("certificates"));
    expect(await names({ generation: 2 })).toEqual(["host-certificates-2", "host-certificates-2"]);
    expect(await names({})).toEqual([]);
    expect(await names({ generation: 2, mediaVolumeGib: 1 })).toEqual([]);
    const recording = await run({ reachedAt: "198.51.100.9", generation: 2 });
    const fetched = recording.find(command, "host-certificates-2");
    expect(await payloadFiles(fetched.inputs["stdin"])).toMatchObject({
      address: "198.51.100.9",
      host_key: parsePublicKey(keyPair("host-host-key").public).line,
    });
    expect(leaks(recording, secretTexts())).toEqual([]);
  });

  test("is another one with each generation, and keeps its keys, its tag and its network", async () => {
    const [first, second] = [
      await run({ mediaVolumeGib: 1 }),
      await run({ mediaVolumeGib: 1, generation: 2 }),
    ];
    const without = (urns: readonly string[], others: readonly string[]) =>
      urns.filter((urn) => !others.includes(urn)).map((urn) => urn.split("::").at(-1));
    expect(without(second.urns(), first.urns())).toEqual(["host-2", "host-images-2", "host-images-2"]);
    expect(without(first.urns(), second.urns())).toEqual(["host", "host-images", "host-images"]);
    const droplet = second.find("digitalocean:index/droplet:Droplet");
    expect(droplet.inputs["name"]).toBe("slipway-test-host-2");
  });

  test("takes a new deploy key made here in two steps, and never makes another key of the account for it", async () => {
    const line = (name: string) => parsePublicKey(keyPair(name).public).line;
    const [old, next] = [line("host-deploy-key"), line("host-deploy-key-2")];
    const keysOf = async (deployKeyGenerations: number[]) => {
      const recording = await run({ deployKeyGenerations });
      const { connection, stdin } = recording.find(command).inputs;
      const { authorized_keys } = await payloadFiles(stdin);
      return [(connection as { privateKey: string }).privateKey, authorized_keys];
    };
    expect(await keysOf([1, 2])).toEqual([keyPair("host-deploy-key").private, `${old}\n${next}\n`]);
    expect(await keysOf([2])).toEqual([keyPair("host-deploy-key-2").private, `${next}\n`]);
    expect((await run()).find("digitalocean:index/sshKey:SshKey").ignoreChanges).toEqual(["publicKey"]);
  });

  test("shows the host keys of all generations, pins the first and keeps its identity", async () => {
    const recording = await run({ hostKeyGenerations: [2, 1] });
    const { connection, stdin, triggers } = recording.find(command).inputs;
    const { host_key_ed25519, host_key_ecdsa } = await payloadFiles(stdin);
    expect(host_key_ed25519).toBe(keyPair("host-host-key").private);
    expect(host_key_ecdsa).toBe(keyPair("host-host-key-2").private);
    expect(connection).toMatchObject({ hostKey: parsePublicKey(keyPair("host-host-key-2").public).line });
    expect(triggers).toEqual(["101"]);
    const { userData } = recording.find("digitalocean:index/droplet:Droplet").inputs;
    expect(userData).toContain("ecdsa_public: ");
    expect(recording.find("tls:index/privateKey:PrivateKey", "host-host-key-2").inputs).toEqual({
      algorithm: "ECDSA",
      ecdsaCurve: "P256",
    });
  });

  test("gives the protection up only when told to", async () => {
    const recording = await run({ mediaVolumeGib: 20, protect: false });
    expect(recording.find("digitalocean:index/volume:Volume").protect).toBe(false);
  });

  test("lets the caller override the droplet's arguments", async () => {
    const recording = await run({ overrides: { droplet: { ipv6: true, size: "c-2" } } });
    expect(recording.find("digitalocean:index/droplet:Droplet").inputs).toMatchObject({
      ipv6: true,
      size: "c-2",
    });
  });
});

describe("bad arguments are refused before anything is registered", () => {
  test.each<[Partial<DockerHostArgs>, string, string, string]>([
    [{ region: "Frankfurt" }, "region", '"Frankfurt"', "doctl compute region list"],
    [{ size: "s 1" }, "size", '"s 1"', "doctl compute size list"],
    [{ image: "" }, "image", '""', "doctl compute image list"],
    [{ sshFrom: ["203.0.113.7"] }, "sshFrom[0]", '"203.0.113.7"', "/32"],
    [{ sshFrom: [] }, "sshFrom", "[]", "leave the key out"],
    [{ authorizedKeys: [ann, "ssh-rsa"] }, "authorizedKeys[1]", '"ssh-rsa"', "id_ed25519.pub"],
    [{ deployPrivateKey: "no key" }, "deployPrivateKey", "a secret value", "ssh-keygen"],
    [{ mediaVolumeGib: 0 }, "mediaVolumeGib", "0", "no volume"],
    [{ generation: 0 }, "generation", "0", "count it up by one"],
    [{ hostKeyGenerations: [] }, "hostKeyGenerations", "[]", "[1] to begin with"],
    [{ hostKeyGenerations: [1, 3] }, "hostKeyGenerations", "[1,3]", "count up by one"],
    [{ deployKeyGenerations: [2, 2] }, "deployKeyGenerations", "[2,2]", "then [2]"],
    [{ swapMib: 1.5 }, "swapMib", "1.5", "no swap file"],
    [{ tags: ["a b"] }, "tags[0]", '"a b"', "rename the tag"],
  ])("%j", async (args, path, received, cure) => {
    const { message, urns } = await recordFailure(make(args), { answers, calls });
    expect(message).toContain('DockerHost "host"');
    expect(message).toContain(`${path}: received ${received}`);
    expect(message).toContain(cure);
    expect(urns).toEqual([]);
  });

  test("all at once", async () => {
    const { message } = await recordFailure(make({ region: "x", size: "?" }), { answers, calls });
    expect(message).toMatch(/region: .*\n.*size: /);
  });
});

describe("values that are known only later are refused before a machine is made", () => {
  test("a private key among the authorized keys, without showing it", async () => {
    const wrong = pulumi.output(Promise.resolve(keyPair("ann").private));
    const { message, urns } = await recordFailure(make({ authorizedKeys: [wrong] }), { answers, calls });
    expect(message).toContain("authorizedKeys[0]: received a private key");
    expect(message).not.toContain("BEGIN");
    expect(urns.join()).not.toMatch(/Droplet:Droplet|remote:Command/i);
  });

  test("a deploy key that is none", async () => {
    const wrong = pulumi.secret(Promise.resolve("hunter2"));
    const { message, urns } = await recordFailure(make({ deployPrivateKey: wrong }), { answers, calls });
    expect(message).toContain("deployPrivateKey: received a secret value");
    expect(message).not.toContain("hunter2");
    expect(urns.join()).not.toMatch(/Droplet:Droplet|remote:Command/i);
  });
});
