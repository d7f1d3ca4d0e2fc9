// The user data of a droplet, read by the real cloud-init. Not proven here: that DigitalOcean's image of Debian hands
// it over as the sandbox does.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createDroplet, dropletExec, waitForBoot, type Droplet } from "../../cli/sandbox/bodies/droplet";
import { Sandbox } from "../../cli/sandbox/bodies/sandbox";
import { renderUserData } from "../../components/digitalocean/userData";
import { keyPair } from "../support/keyPair";
import { ssh } from "./ssh";
import { describeSandbox } from "./support";

const minutes = 60_000;
const directory = mkdtempSync(path.join(tmpdir(), "user-data-test-"));
const sandbox = new Sandbox({ name: "user-data-test", dir: directory });
const deploy = keyPair();
const ann = keyPair();
const hostKey = keyPair();
let droplet: Droplet;

const login = (username: string, privateKey: string) =>
  ssh(
    { host: droplet.ipv4Address, username, privateKey, hostKey: hostKey.public },
    "id -un; id -Gn; sudo -n id -un",
  );

describeSandbox("a droplet that read our user data", () => {
  beforeAll(async () => {
    await sandbox.down();
    droplet = await createDroplet(sandbox, {
      name: "host",
      size: "s-1vcpu-2gb",
      region: "fra1",
      image: "debian-13-x64",
      userData: renderUserData({
        user: "deploy",
        authorizedKeys: [deploy.public, `${ann.public} ann: # at home`],
        hostPrivateKey: hostKey.private,
        hostPublicKey: hostKey.public,
      }),
    });
    await waitForBoot(sandbox, droplet.id);
  }, 10 * minutes);

  afterAll(async () => {
    await sandbox.down();
    rmSync(directory, { recursive: true, force: true });
  }, minutes);

  test("lets deploy in under the pinned host key, with sudo", async () => {
    for (const key of [deploy, ann]) {
      expect(await login("deploy", key.private)).toEqual({ code: 0, output: "deploy\ndeploy adm\nroot\n" });
    }
  });

  test("lets nobody in as root, and nobody by a password", async () => {
    await dropletExec(sandbox, droplet.id, [
      "install",
      "-Dm600",
      "/home/deploy/.ssh/authorized_keys",
      "/root/.ssh/authorized_keys",
    ]);
    await expect(login("root", deploy.private)).rejects.toThrow(/authentication/i);
    const settings = await dropletExec(sandbox, droplet.id, ["sshd", "-T"]);
    expect(settings).toMatch(/^permitrootlogin no$/m);
    expect(settings).toMatch(/^passwordauthentication no$/m);
    expect(settings).toMatch(/^kbdinteractiveauthentication no$/m);
  });

  test("has no other host key than ours, and nothing that cloud-init complains of", async () => {
    const keys = await dropletExec(sandbox, droplet.id, ["sh", "-c", "cat /etc/ssh/ssh_host_*_key.pub"]);
    expect(keys.trim().split(" ").slice(0, 2).join(" ")).toBe(
      hostKey.public.split(" ").slice(0, 2).join(" "),
    );
    expect(keys.trim().split("\n")).toHaveLength(1);
    const status = await dropletExec(sandbox, droplet.id, ["cloud-init", "status", "--long"]);
    expect(status).toContain("status: done");
    expect(status).toMatch(/errors: \[\]/);
  });
});
