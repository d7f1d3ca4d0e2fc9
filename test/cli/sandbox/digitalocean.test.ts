import * as sdk from "@pulumi/digitalocean";
import * as dns from "../../../cli/sandbox/bodies/dns";
import * as droplets from "../../../cli/sandbox/bodies/droplet";
import * as firewall from "../../../cli/sandbox/bodies/firewall";
import * as addresses from "../../../cli/sandbox/bodies/network";
import * as postgres from "../../../cli/sandbox/bodies/postgres";
import { Sandbox } from "../../../cli/sandbox/bodies/sandbox";
import { databases } from "../../../cli/sandbox/resources/digitalocean/databases";
import { machines } from "../../../cli/sandbox/resources/digitalocean/machines";
import { network } from "../../../cli/sandbox/resources/digitalocean/network";
import { volumes } from "../../../cli/sandbox/resources/digitalocean/volumes";
import type { ExistingCall, ResourceHandler } from "../../../cli/sandbox/resources/handler";

// How resources are mapped on bodies. That the bodies work is shown where Docker is: test/sandbox.

jest.mock("../../../cli/sandbox/bodies/dns");
jest.mock("../../../cli/sandbox/bodies/droplet");
jest.mock("../../../cli/sandbox/bodies/firewall");
jest.mock("../../../cli/sandbox/bodies/network");
jest.mock("../../../cli/sandbox/bodies/postgres");

const sandbox = new Sandbox({ name: "test", dir: "unused" });
const providers = [machines, network, volumes, databases].map((provider) => provider(sandbox));
const all = Object.assign({}, ...providers.map(({ resources }) => resources)) as Record<
  string,
  ResourceHandler
>;
let lines: string[];
beforeEach(() => {
  jest.resetAllMocks();
  lines = [];
});

function handler(
  type: string,
): Required<Pick<ResourceHandler, "create" | "update" | "delete">> & ResourceHandler {
  const token = Object.keys(all).find((known) => known.endsWith(`:${type}`)) ?? "";
  return all[token] as Required<ResourceHandler>;
}

function call(inputs: Record<string, unknown>, oldInputs = inputs): ExistingCall {
  const who = { type: "t", name: "n", urn: "u", id: "1" };
  const signal = new AbortController().signal;
  return { ...who, inputs, oldInputs, outputs: {}, signal, log: (line) => void lines.push(line) };
}

test.each(Object.keys(all))("%s is a type of the SDK", (token) => {
  const [, , name = ""] = token.split(":");
  expect((sdk as unknown as Record<string, { __pulumiType?: string }>)[name]?.__pulumiType).toBe(token);
});

test("a droplet gets what the program says, and has the outputs of a real one", async () => {
  const made = {
    id: "17",
    ipv4Address: "10.0.0.1",
    ipv4AddressPrivate: "10.1.0.1",
    status: "active",
  } as const;
  jest.mocked(droplets.createDroplet).mockResolvedValue(made);
  const inputs = { name: "web", region: "fra1", size: "s-2vcpu-4gb", image: "debian-13-x64", userData: "#x" };
  const { id, outputs } = await handler("Droplet").create(call({ ...inputs, vpcUuid: "v", tags: ["a"] }));
  expect(droplets.createDroplet).toHaveBeenCalledWith(sandbox, { ...inputs, vpcId: "v", tags: ["a"] });
  expect(id).toBe("17");
  expect(outputs).toMatchObject({
    ipv4Address: "10.0.0.1",
    vcpus: 2,
    memory: 4096,
    dropletUrn: "do:droplet:17",
  });
});

test("an input that is missing is named, without its value", async () => {
  const create = async (): Promise<unknown> => handler("Droplet").create(call({ name: "web", size: 3 }));
  await expect(create()).rejects.toThrow("size: received a value of type number, expected a text");
});

test("a change that a container cannot follow is said aloud", async () => {
  const inputs = { name: "web", size: "s-1vcpu-2gb", tags: ["a"] };
  await handler("Droplet").update(call({ ...inputs, size: "s-2vcpu-4gb" }, inputs));
  expect(lines).toEqual(["n: size changed in name only, the container stays as it is"]);
});

describe("a reserved address", () => {
  const inputs = { ipAddress: "10.0.0.200", dropletId: 17 };
  const member = { id: "17", role: "droplet", container: "c", running: true, stopped: false, labels: {} };

  test("that has moved on stays where it is when the old assignment goes", async () => {
    jest.spyOn(sandbox, "find").mockResolvedValue(member);
    jest.mocked(droplets.dropletExec).mockResolvedValue("2: eth0    inet 10.0.0.20/24 scope global\n");
    await handler("ReservedIpAssignment").delete(call(inputs));
    expect(addresses.assignReservedIp).not.toHaveBeenCalled();
  });

  test("that the droplet still has is taken from it", async () => {
    jest.spyOn(sandbox, "find").mockResolvedValue(member);
    jest.mocked(droplets.dropletExec).mockResolvedValue("2: eth0    inet 10.0.0.200/32 scope global\n");
    await handler("ReservedIpAssignment").delete(call(inputs));
    expect(addresses.assignReservedIp).toHaveBeenCalledWith(sandbox, "10.0.0.200", undefined);
  });

  test("of a droplet that is gone needs nothing", async () => {
    jest.spyOn(sandbox, "find").mockResolvedValue(undefined);
    await handler("ReservedIpAssignment").delete(call(inputs));
    expect(addresses.assignReservedIp).not.toHaveBeenCalled();
  });
});

describe("a DNS record", () => {
  const record = { domain: "example.com", type: "A", name: "www", value: "10.0.0.1" };

  test("resolves under its full name, the zone's own under @", async () => {
    const { outputs } = await handler("DnsRecord").create(call(record));
    await handler("DnsRecord").create(call({ ...record, name: "@" }));
    expect(outputs).toMatchObject({ fqdn: "www.example.com" });
    expect(dns.setRecord).toHaveBeenNthCalledWith(1, sandbox, "www.example.com", "10.0.0.1");
    expect(dns.setRecord).toHaveBeenNthCalledWith(2, sandbox, "example.com", "10.0.0.1");
  });

  test("that is renamed leaves nothing under its old name", async () => {
    await handler("DnsRecord").update(call({ ...record, name: "app" }, record));
    expect(dns.removeRecord).toHaveBeenCalledWith(sandbox, "www.example.com");
    expect(dns.setRecord).toHaveBeenCalledWith(sandbox, "app.example.com", "10.0.0.1");
  });

  test("of another type is written down only", async () => {
    await handler("DnsRecord").create(call({ ...record, type: "TXT", value: "x" }));
    expect(dns.setRecord).not.toHaveBeenCalled();
  });
});

describe("a database", () => {
  test("keeps its password and URIs secret, and its CA out of its outputs", async () => {
    const made = { id: "c1", host: "h", privateHost: "p", port: 25060, user: "doadmin", password: "s" };
    const uris = { database: "defaultdb", uri: "postgresql://h", privateUri: "postgresql://p", ca: "PEM" };
    jest.mocked(postgres.createCluster).mockResolvedValue({ ...made, ...uris });
    const inputs = {
      name: "db",
      engine: "pg",
      version: "17",
      size: "db-s-1vcpu-1gb",
      privateNetworkUuid: "v",
    };
    const { outputs } = await handler("DatabaseCluster").create(call(inputs));
    expect(outputs).toMatchObject({ privateHost: "p", user: "doadmin", port: 25060 });
    expect(outputs).not.toHaveProperty("ca");
    expect(handler("DatabaseCluster").secretOutputs).toEqual(
      expect.arrayContaining(["password", "uri", "privateUri"]),
    );
  });

  test("whose firewall goes is open to everybody, as at DigitalOcean", async () => {
    await handler("DatabaseFirewall").delete(
      call({ clusterId: "c1", rules: [{ type: "tag", value: "web" }] }),
    );
    expect(firewall.setFirewall).toHaveBeenCalledWith(sandbox, "c1", []);
  });

  test("refuses a rule in the spelling of the SDK's documentation, which the API does not know", async () => {
    const inputs = { clusterId: "c1", rules: [{ type: "ipAddr", value: "10.0.0.1" }] };
    const create = async (): Promise<unknown> => handler("DatabaseFirewall").create(call(inputs));
    await expect(create()).rejects.toThrow(
      'rules.type: received "ipAddr", accepted are tag, ip_addr, droplet',
    );
  });

  test("of another engine is refused", async () => {
    const create = async (): Promise<unknown> => handler("DatabaseCluster").create(call({ engine: "mysql" }));
    await expect(create()).rejects.toThrow('engine: received "mysql"');
  });
});
