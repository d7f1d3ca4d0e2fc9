import { Client } from "ssh2";

export interface SshTarget {
  readonly host: string;
  readonly username: string;
  readonly privateKey: string;
  /** The only host key that is accepted. */
  readonly hostKey: string;
}

/** Runs a command over SSH and gives what it printed, both streams together, and its exit status. */
export function ssh(
  target: SshTarget,
  command: string,
  input = "",
): Promise<{ code: number; output: string }> {
  const pinned = Buffer.from(target.hostKey.split(" ")[1] ?? "", "base64");
  return new Promise((resolve, reject) => {
    const client = new Client();
    let settled = false;
    client.on("error", reject);
    client.on("close", () => {
      if (!settled) reject(new Error("the connection was cut"));
    });
    client.on("ready", () => {
      client.exec(command, (error, channel) => {
        if (error) return reject(error);
        let output = "";
        const append = (chunk: Buffer): void => void (output += chunk.toString());
        channel.on("data", append).stderr.on("data", append);
        channel.on("close", (code: number | null) => {
          settled = code !== null;
          if (settled) resolve({ code: code ?? 0, output });
          client.end();
        });
        channel.end(input);
      });
    });
    client.connect({
      ...{
        host: target.host,
        username: target.username,
        privateKey: target.privateKey,
        readyTimeout: 10_000,
      },
      hostVerifier: (key: Buffer) => key.equals(pinned),
    });
  });
}
