import { generateKeyPairSync } from "node:crypto";
import type { AddressInfo } from "node:net";
import { Server, utils, type Connection, type ServerChannel } from "ssh2";
import { opensshKey, type OpensshKey } from "../../../cli/sandbox/resources/opensshKey";

export function newKey(): OpensshKey {
  return opensshKey(generateKeyPairSync("ed25519").privateKey);
}

export interface ReceivedCommand {
  readonly command: string;
  readonly stdin: string;
}

/** A real SSH server on the loopback address that lets one key in and does not run anything. */
export class SshServer {
  readonly hostKey = newKey();
  readonly userKey = newKey();
  readonly received: ReceivedCommand[] = [];
  connections = 0;
  /** What the next commands do. */
  respond: (channel: ServerChannel, command: ReceivedCommand) => void = (channel) => finish(channel, 0);
  private readonly server: Server;
  private readonly open = new Set<Connection>();

  constructor() {
    this.server = new Server({ hostKeys: [this.hostKey.privateKey] }, (client) => this.serve(client));
  }

  async listen(port = 0): Promise<number> {
    await new Promise<void>((resolve) => this.server.listen(port, "127.0.0.1", resolve));
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const client of this.open) client.end();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private serve(client: Connection): void {
    this.connections += 1;
    this.open.add(client);
    const allowed = utils.parseKey(this.userKey.publicKey);
    if (allowed instanceof Error) throw allowed;
    client.on("error", () => undefined);
    client.on("close", () => this.open.delete(client));
    client.on("authentication", (context) => {
      const known = context.method === "publickey" && context.key.data.equals(allowed.getPublicSSH());
      const signed =
        known &&
        (context.signature === undefined ||
          allowed.verify(context.blob ?? "", context.signature, context.hashAlgo));
      if (signed === true) context.accept();
      else context.reject(["publickey"]);
    });
    client.on("session", (acceptSession) => {
      acceptSession().on("exec", (acceptExec, _reject, { command }) => {
        const channel = acceptExec();
        const stdin: Buffer[] = [];
        channel.on("data", (chunk: Buffer) => stdin.push(chunk));
        channel.on("end", () => {
          const received = { command, stdin: Buffer.concat(stdin).toString("utf8") };
          this.received.push(received);
          this.respond(channel, received);
        });
      });
    });
  }
}

export function finish(channel: ServerChannel, code: number, stdout = "", stderr = ""): void {
  channel.write(stdout);
  channel.stderr.write(stderr);
  channel.exit(code);
  channel.end();
}
