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

/** Time between two tries at a server that refused, in seconds: sshd's penalties add up to nothing at this pace. */
const refusedPauseSeconds = 10;

/** How patient a check is. */
export interface Patience {
  /**
   * For how long a refusal may come from a machine that is still booting, and has not made its user or host key yet,
   * in seconds. @default 0: a server that was already there means what it says
   */
  readonly bootSeconds?: number;
}

/**
 * Holds everything back that needs the connection until the server lets us in. The provider retries whatever went
 * wrong; here a wrong host key or refused credentials end the update soon, before anything secret is sent, and only
 * a server that does not answer yet is waited for. A server that stays away is left to the provider, so that an update
 * which needs nothing of it can go on. Not in previews: they change nothing and wait for nothing.
 */
export function checkConnection(
  connection: pulumi.Input<Connection>,
  component: string,
  patience: Patience = {},
): pulumi.Output<Connection> {
  return pulumi.secret(
    pulumi.output(connection).apply(async (settled) => {
      if (!pulumi.runtime.isDryRun()) await waitForLogin(settled, component, patienceSeconds, patience);
      // After the wait above a short patience is enough.
      return { dialErrorLimit: 10, perDialTimeout: 15, ...settled };
    }),
  );
}

/** Throws when the server answers and refuses; returns when it lets us in, or when the time is up. */
export async function waitForLogin(
  connection: Settled,
  component: string,
  seconds: number,
  { bootSeconds = 0 }: Patience = {},
): Promise<void> {
  const end = Date.now() + seconds * 1000;
  let refusal: string | undefined;
  let believedAt = Infinity;
  for (;;) {
    const attempt = await tryLogin(connection);
    if (attempt === "in") return;
    const refused = describeRefusal(attempt, connection, component);
    // Not forgotten when the next attempt meets no answer: sshd turns those away for a while who failed too often.
    if (refused !== undefined) believedAt = Math.min(believedAt, Date.now() + bootSeconds * 1000);
    refusal = refused ?? refusal;
    if (refusal !== undefined && Date.now() >= believedAt) throw new Error(refusal);
    if (refusal === undefined && Date.now() > end) return;
    const pauseSeconds = refusal === undefined ? 1 : Math.min(refusedPauseSeconds, bootSeconds);
    await new Promise((resolve) => setTimeout(resolve, pauseSeconds * 1000));
  }
}

function describeRefusal(
  attempt: Exclude<LoginAttempt, "in">,
  connection: Settled,
  component: string,
): string | undefined {
  const where = `${connection.user ?? "root"}@${connection.host}:${connection.port ?? 22}`;
  if (attempt === "refused") {
    return (
      `${component}: connection.privateKey: ${where} refuses the login with this key; accepted is a key that is in ` +
      "its authorized_keys. Add the public half there by an update that still logs in with the old key, or give the key that is."
    );
  }
  if ("unreachable" in attempt) return undefined;
  return (
    `${component}: connection.hostKey: ${where} shows another host key than the pinned one; received ` +
    `${attempt.wrongHostKey}, accepted is ${connection.hostKey ?? "none"}. Nothing was sent. When the host key was changed ` +
    "or the server was rebuilt on purpose, take the new key from its console (cat /etc/ssh/ssh_host_ed25519_key.pub); " +
    "otherwise somebody may be answering in its place."
  );
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
      } else if (pinned !== undefined && error.message.includes("no matching host key format")) {
        done({ wrongHostKey: `no key of type ${pinned[0]}` });
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
