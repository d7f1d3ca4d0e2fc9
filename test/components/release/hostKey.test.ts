import { parsePublicKey, validateAuthorizedKey, validateHostKey } from "../../../components/release/hostKey";
import { keyPair } from "../../support/keyPair";

const ed25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICXTnDdWwgvnje4bY119LL7dz4ND9x6Ei0fHTHeaYFRG";
const ecdsa =
  "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBMBve5WUFiDAAMj546NsAvY5jVJAfpL87DbQ6d0bkfgXU6t1bFMYKCqrSpQwoJkRmoqWYrn/yLgt30HqiQ7tKa0=";

test("the fingerprint is the one that ssh-keygen -l shows", () => {
  expect(parsePublicKey(`${ed25519} ann@example.com\n`)).toEqual({
    line: ed25519,
    fingerprint: "SHA256:mSFo1ElAkf1Z1eBg9acDYduvEqoZgiYfh3CET0dbvfU",
  });
  expect(parsePublicKey(ecdsa).fingerprint).toBe("SHA256:YPsblMMEf0Qol5vn0DViljvDNk/LOVVI4AsP5kVZteo");
});

test.each([ed25519, `${ed25519} a comment`, ecdsa])("%s can be pinned", (line) => {
  expect(validateHostKey("hostKey", line)).toEqual([]);
});

test.each([
  "",
  "ssh-ed25519",
  "ssh-ed25519 AAAA",
  `example.com ${ed25519}`,
  `${ed25519}\n${ed25519}`,
  ed25519.replace("ssh-ed25519 ", "ssh-rsa "),
  ed25519.slice(0, -20),
])("%j cannot", (line) => {
  expect(validateHostKey("hostKey", line)).toMatchObject([
    { path: "hostKey", cure: expect.stringContaining("cat /etc/ssh") as string },
  ]);
});

test("a key that was cut off or pasted twice does not get into authorized_keys", () => {
  expect(validateAuthorizedKey("authorizedKeys[0]", ed25519)).toEqual([]);
  expect(validateAuthorizedKey("authorizedKeys[0]", ed25519.slice(0, -20))).toHaveLength(1);
  expect(validateAuthorizedKey("authorizedKeys[0]", `${ed25519}\n${ed25519}`)).toHaveLength(1);
});

test("a private key is never repeated", () => {
  const { private: secret } = keyPair();
  expect(validateAuthorizedKey("authorizedKeys[0]", secret)).toMatchObject([{ received: "a private key" }]);
  expect(() => parsePublicKey(secret)).toThrow(/received a private key/);
});
