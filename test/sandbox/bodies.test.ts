// The bodies as a program sees them: one sandbox for all, in this order. Not proven here: that the real services of
// DigitalOcean behave the same; what is known of them stands beside each body.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { ensureAcme } from "../../cli/sandbox/bodies/acme";
import { setRecord } from "../../cli/sandbox/bodies/dns";
import { docker } from "../../cli/sandbox/bodies/docker";
import {
  createDroplet,
  cutSsh,
  dropletExec,
  waitForBoot,
  type Droplet,
} from "../../cli/sandbox/bodies/droplet";
import { setFirewall } from "../../cli/sandbox/bodies/firewall";
import { ensureImage } from "../../cli/sandbox/bodies/images";
import { assignReservedIp, createReservedIp, ensureVpc } from "../../cli/sandbox/bodies/network";
import {
  createCluster,
  createDatabase,
  createPool,
  poolPort,
  type Cluster,
} from "../../cli/sandbox/bodies/postgres";
import { ensureRegistry, pushImage } from "../../cli/sandbox/bodies/registry";
import { Sandbox } from "../../cli/sandbox/bodies/sandbox";
import { attachVolume, createVolume, detachVolume } from "../../cli/sandbox/bodies/volume";
import { keyPair } from "../support/keyPair";
import { ssh } from "./ssh";
import { describeSandbox } from "./support";

const minutes = 60_000;
const user = keyPair();
const hostKey = keyPair();
const directory = mkdtempSync(path.join(tmpdir(), "bodies-test-"));
const sandbox = new Sandbox({ name: "bodies-test", dir: directory });

const userData = `#cloud-config
${JSON.stringify({
  users: [
    {
      name: "deploy",
      groups: ["docker"],
      sudo: "ALL=(ALL) NOPASSWD:ALL",
      ssh_authorized_keys: [user.public],
    },
  ],
  ssh_keys: { ed25519_private: hostKey.private, ed25519_public: hostKey.public },
})}`;

let vpcId = "";
let web: Droplet;
let other: Droplet;
let cluster: Cluster;

const run = (droplet: Droplet | string, command: string, input?: string) =>
  ssh(
    {
      host: typeof droplet === "string" ? droplet : droplet.ipv4Address,
      ...{ username: "deploy", privateKey: user.private, hostKey: hostKey.public },
    },
    command,
    input,
  );

const psql = (droplet: Droplet, host: string, port: number, database: string, query: string) => {
  const target = `host=${host} port=${port} user=doadmin dbname=${database} sslmode=verify-full sslrootcert=/tmp/ca.crt`;
  const command = `cat >/tmp/ca.crt; PGCONNECT_TIMEOUT=5 PGPASSWORD='${cluster.password}' psql "${target}" -Atc "${query}"`;
  return run(droplet, command, cluster.ca);
};

function machine(name: string, tags: string[]): Promise<Droplet> {
  const size = { size: "s-1vcpu-2gb", region: "fra1", image: "debian-13-x64" };
  return createDroplet(sandbox, { name, userData, ...size, vpcId, tags });
}

describeSandbox("the bodies of the sandbox", () => {
  beforeAll(async () => {
    await sandbox.down();
    vpcId = (await ensureVpc(sandbox, { name: "app" })).id;
    [web, other, cluster] = await Promise.all([
      machine("web", ["app"]),
      machine("other", []),
      createCluster(sandbox, { name: "main", version: "17", size: "db-s-1vcpu-1gb", vpcId }),
      ensureRegistry(sandbox),
      ensureAcme(sandbox),
    ]);
    await Promise.all([waitForBoot(sandbox, web.id), waitForBoot(sandbox, other.id)]);
  }, 5 * minutes);

  afterAll(async () => {
    await sandbox.down();
    rmSync(directory, { recursive: true, force: true });
  }, minutes);

  it(
    "boots a droplet whose user data made its user and its host key",
    async () => {
      expect(await run(web, "id -un && sudo systemctl is-system-running")).toEqual({
        code: 0,
        output: "deploy\nrunning\n",
      });
      const metadata = await run(web, "sudo curl -s http://169.254.169.254/metadata/v1/id");
      expect(metadata.output).toBe(web.id);
    },
    minutes,
  );

  it("leaves the services of the preparation off", async () => {
    const { output } = await run(
      web,
      "systemctl is-enabled docker caddy; for name in docker caddy psql rsync jq; do command -v $name; done",
    );
    expect(output.split("\n").slice(0, 2)).toEqual(["disabled", "disabled"]);
    expect(output.match(/^\/usr\/bin\//gm)).toHaveLength(5);
  });

  it(
    "runs an image from the registry by digest, and only after a login",
    async () => {
      const registry = await ensureRegistry(sandbox);
      const image = await pushImage(sandbox, await ensureImage("base"), "team/base");
      expect(image).toMatch(/^registry\.sandbox:5000\/team\/base@sha256:[0-9a-f]{64}$/);
      await run(web, "sudo systemctl start docker");
      const refused = await run(web, `docker pull -q ${image}`);
      expect(refused.output).toMatch(/no basic auth credentials/);
      const login = `docker login --username ${registry.username} --password-stdin ${registry.server} >/dev/null 2>&1`;
      const ran = await run(
        web,
        `${login} && docker run --quiet --rm ${image} cat /etc/debian_version`,
        registry.password,
      );
      expect(ran).toEqual({ code: 0, output: expect.stringMatching(/^13\.\d+\n$/) as string });
    },
    minutes,
  );

  it("answers on the private address with a certificate that verifies", async () => {
    const query = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";
    expect(await psql(web, cluster.privateHost, cluster.port, "defaultdb", query)).toEqual({
      code: 0,
      output: "t\n",
    });
    const plain = `PGPASSWORD=x psql "host=${cluster.privateHost} port=25060 user=doadmin dbname=defaultdb sslmode=disable"`;
    expect((await run(web, plain)).output).toMatch(/no encryption/);
  });

  it("has an admin that is no superuser, and no create on public for others", async () => {
    await createDatabase(sandbox, cluster.id, "shop");
    await createPool(sandbox, cluster.id, {
      name: "shop-pool",
      mode: "transaction",
      size: 5,
      database: "shop",
    });
    const admin = await psql(
      web,
      cluster.privateHost,
      cluster.port,
      "shop",
      "select rolsuper from pg_roles where rolname = user",
    );
    expect(admin.output).toBe("f\n");
    await psql(web, cluster.privateHost, cluster.port, "shop", "create role app login password 'word'");
    const pooled = `PGPASSWORD=word psql "host=${cluster.privateHost} port=${poolPort} user=app dbname=shop-pool sslmode=require"`;
    const { output } = await run(
      web,
      `${pooled} -Atc "select current_database()" -c "create table public.t ()"`,
    );
    expect(output).toMatch(/^shop\n.*permission denied for schema public/);
  });

  it(
    "lets only the tagged droplet reach the database, also one that comes later",
    async () => {
      await setFirewall(sandbox, cluster.id, [{ type: "tag", value: "app" }]);
      expect((await psql(web, cluster.privateHost, cluster.port, "defaultdb", "select 1")).output).toBe(
        "1\n",
      );
      for (const [host, port] of [
        [cluster.privateHost, cluster.port],
        [cluster.host, cluster.port],
        [cluster.privateHost, poolPort],
      ] as const) {
        expect((await psql(other, host, port, "defaultdb", "select 1")).output).toMatch(/refused/);
      }
      const late = await machine("late", ["app"]);
      await waitForBoot(sandbox, late.id);
      expect((await psql(late, cluster.privateHost, cluster.port, "defaultdb", "select 1")).output).toBe(
        "1\n",
      );
    },
    minutes,
  );

  it(
    "moves a reserved address between droplets, and keeps it over a reboot",
    async () => {
      const address = await createReservedIp(sandbox);
      for (const droplet of [web, other]) {
        await assignReservedIp(sandbox, address, droplet.id);
        expect((await run(address, "hostname")).output).toBe(droplet === web ? "web\n" : "other\n");
      }
      await docker(["restart", "--time", "20", (await sandbox.get("droplet", other.id)).container]);
      await waitForBoot(sandbox, other.id);
      const again = await sandbox.waitFor("sshd", () => run(address, "hostname"), 20);
      expect(again.output).toBe("other\n");
    },
    minutes,
  );

  it(
    "keeps what is on a volume when another droplet gets it",
    async () => {
      const volume = await createVolume(sandbox, { name: "media", sizeGib: 1 });
      const { device } = await attachVolume(sandbox, volume.id, web.id);
      await run(
        web,
        `sudo mkfs.ext4 -q ${device} && sudo mount ${device} /mnt && echo kept | sudo tee /mnt/file`,
      );
      await attachVolume(sandbox, volume.id, other.id);
      expect((await run(other, `sudo mount ${device} /mnt && cat /mnt/file`)).output).toBe("kept\n");
      expect((await run(web, `ls ${device} /mnt/file`)).output.match(/No such file/g)).toHaveLength(2);
      await detachVolume(sandbox, volume.id);
    },
    minutes,
  );

  it(
    "issues a certificate for a name of the sandbox",
    async () => {
      const acme = await ensureAcme(sandbox);
      await setRecord(sandbox, "shop.example.com", web.ipv4Address);
      const site = `{\n acme_ca ${acme.directory}\n acme_ca_root /tmp/acme.pem\n}\nshop.example.com {\n respond "ok"\n}\n`;
      await dropletExec(sandbox, web.id, ["tee", "/tmp/acme.pem", "/etc/ssl/sandbox.pem"], {
        input: acme.caCertificate,
      });
      await dropletExec(sandbox, web.id, ["tee", "/etc/caddy/Caddyfile"], {
        input: site.replace("/tmp", "/etc/ssl").replace("acme.pem", "sandbox.pem"),
      });
      await run(web, "sudo systemctl start caddy");
      await dropletExec(sandbox, other.id, ["tee", "/tmp/acme.pem"], { input: acme.caCertificate });
      const curl = async (): Promise<string> => {
        const { code, output } = await run(
          other,
          "curl -sS --cacert /tmp/acme.pem https://shop.example.com/",
        );
        if (code !== 0) throw new Error(output);
        return output;
      };
      expect(await sandbox.waitFor("the certificate", curl, 20)).toBe("ok");
    },
    minutes,
  );

  it("cuts SSH without a word", async () => {
    const session = run(web, "touch /tmp/started; sleep 60");
    const cut = expect(session).rejects.toThrow(/cut|reset|closed/i);
    await sandbox.waitFor(
      "the session",
      () => dropletExec(sandbox, web.id, ["test", "-e", "/tmp/started"]),
      10,
    );
    await cutSsh(sandbox, web.id);
    await cut;
  });

  it(
    "leaves nothing behind when it goes",
    async () => {
      await sandbox.down();
      expect(await sandbox.list()).toEqual([]);
    },
    minutes,
  );
});
