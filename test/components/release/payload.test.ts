import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { encodePayload, unpackCommand } from "../../../components/release/payload";

const odd = `@ $ # ' " % \\ and a space\n\ttab, umlaut ü, no newline at the end`;

function unpack(payload: string): string {
  const directory = mkdtempSync(path.join(tmpdir(), "payload-"));
  execFileSync("tar", ["-xf", "-", "-C", directory], { input: Buffer.from(payload, "base64") });
  return directory;
}

describe("payload", () => {
  it("arrives byte for byte, with nested names, and only its owner may read it", async () => {
    const directory = unpack(await encodePayload({ "app/.env": odd, "release.json": "{}" }));
    expect(readFileSync(path.join(directory, "app/.env"), "utf8")).toBe(odd);
    expect(statSync(path.join(directory, "app/.env")).mode & 0o777).toBe(0o600);
  });

  it("is the same text for the same files in another order, so that an update with nothing new runs nothing", async () => {
    expect(await encodePayload({ a: "1", b: "2" })).toBe(await encodePayload({ b: "2", a: "1" }));
  });

  it("holds the files of a name longer than a tar header has room for", async () => {
    const name = `files/${"x".repeat(140)}`;
    expect(readFileSync(path.join(unpack(await encodePayload({ [name]: odd })), name), "utf8")).toBe(odd);
  });

  it("is unpacked by one constant line that names no secret and no file of the payload", () => {
    expect(unpackCommand()).toBe(
      `S=; [ "$(id -u)" = 0 ] || S='sudo -n'; exec $S sh -c 'umask 077; d=$(mktemp -d /run/slipway.XXXXXXXXXX) && ` +
        `base64 -d | tar -xf - -C "$d" && exec sh "$d/start.sh" "$d" "$0" </dev/null; rm -rf "$d"; ` +
        `echo "slipway: the payload did not arrive whole" >&2; exit 65' "\${SSH_CLIENT%% *}"`,
    );
  });
});
