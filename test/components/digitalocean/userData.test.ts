import { parse } from "yaml";
import { renderUserData } from "../../../components/digitalocean";

const args = {
  user: "deploy",
  authorizedKeys: ["ssh-ed25519 AAAAdeploy", "ssh-ed25519 AAAAann ann: # at home"],
  hostPrivateKey: "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
  hostPublicKey: "ssh-ed25519 AAAAhost",
};

test("userData as a droplet reads it", () => {
  expect(renderUserData(args)).toMatchSnapshot();
});

test("the keys arrive as they were given, whatever their comments hold", () => {
  const config = parse(renderUserData(args)) as {
    users: [{ ssh_authorized_keys: string[] }];
    ssh_keys: { ed25519_private: string; ed25519_public: string };
  };
  expect(config.users[0].ssh_authorized_keys).toEqual(args.authorizedKeys);
  expect(config.ssh_keys).toEqual({
    ed25519_private: args.hostPrivateKey,
    ed25519_public: args.hostPublicKey,
  });
});

test("same arguments, same text", () => {
  expect(renderUserData({ ...args })).toBe(renderUserData(args));
});
