import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { Client, utils } from "ssh2";

type Connection = command.types.input.remote.ConnectionArgs;
type Settled = pulumi.Unwrap<Connection>;

/** How a single try to log in ended. */
export type LoginAttempt =
  "in" | "refused" | { readonly wrongHostKey: string } | { readonly unreachable: string };

/** How long a new machine may take until it answers, in seconds. */
const patienceSeconds = 300;

/**
 * Holds everything back that needs the connection until the server lets us in. The provider retries whatever went
 * wrong; here a wrong host key or refused credentials end the update at once, before anything secret is sent, and only
 * a server that does not answer yet is waited for. A server that stays away is left to the provider, so that an update
 * which needs nothing of it can go on. Not in previews: they change nothing and wait for nothing.
 */
export function checkConnection(
  connection: pulumi.Input<Connection>,
  component: string,
): pulumi.Output<Connection> {
  return pulumi.secret(
    pulumi.output(connection).apply(async (settled) => {
      if (!pulumi.runtime.isDryRun()) await waitForLogin(settled, component, patienceSeconds);
      // After the wait above a short patience is enough.
      return { dialErrorLimit: 10, perDialTimeout: 15, ...settled };
    }),
  );
}

/** Throws when the server answers and refuses; returns when it lets us in, or when the time is up. */
export async function waitForLogin(connection: Settled, component: string, seconds: number): Promise<void> {
  const end = Date.now() + seconds * 1000;
  const where = `${connection.user ?? "root"}@${connection.host}:${connection.port ?? 22}`;
  for (;;) {
    const attempt = await tryLogin(connection);
    if (attempt === "in") return;
    if (attempt === "refused") {
      throw new Error(
        `${component}: connection.privateKey: ${where} refuses the login with this key; accepted is a key that is in ` +
          `its authorized_keys. Add the public half there, or give the key that is.`,
      );
    }
    if ("wrongHostKey" in attempt) {
      throw new Error(
        `${component}: connection.hostKey: ${where} shows another host key than the pinned one; received ` +
          `${attempt.wrongHostKey}, accepted is ${connection.hostKey ?? "none"}. Nothing was sent. When the server was ` +
          "rebuilt on purpose, take the new key from its console (cat /etc/ssh/ssh_host_ed25519_key.pub); otherwise " +
          "somebody may be answering in its place.",
      );
    }
    if (Date.now() > end) return;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

/** One login, without a command. */
export function tryLogin(connection: Settled): Promise<LoginAttempt> {
  return new Promise((resolve) => {
    const client = new Client();
    let seen: Buffer | undefined;
    const pinned = connection.hostKey?.trim().split(/\s+/);
    const done = (attempt: LoginAttempt): void => {
      client.removeAllListeners();
      client.on("error", () => undefined);
      client.end();
      resolve(attempt);
    };
    client.on("ready", () => done("in"));
    client.on("error", (error: Error & { level?: string }) => {
      if (seen !== undefined && pinned !== undefined && seen.toString("base64") !== pinned[1]) {
        done({ wrongHostKey: describeKey(seen) });
      } else if (error.level === "client-authentication") {
        done("refused");
      } else {
        done({ unreachable: error.message });
      }
    });
    client.on("close", () => done({ unreachable: "the connection was closed" }));
    client.connect({
      host: connection.host,
      port: connection.port ?? 22,
      username: connection.user ?? "root",
      privateKey: connection.privateKey,
      passphrase: connection.privateKeyPassword,
      password: connection.password,
      agent: connection.agentSocketPath,
      readyTimeout: 15_000,
      algorithms: pinned?.[0] === undefined ? undefined : { serverHostKey: [pinned[0] as "ssh-ed25519"] },
      hostVerifier: (key: Buffer) => {
        seen = key;
        return pinned === undefined || key.toString("base64") === pinned[1];
      },
    });
  });
}

function describeKey(key: Buffer): string {
  const parsed = utils.parseKey(key);
  return parsed instanceof Error ? "a key of an unknown kind" : `${parsed.type} ${key.toString("base64")}`;
}
