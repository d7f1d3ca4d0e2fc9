import { randomBytes } from "node:crypto";
import type { Plain } from "../properties";
import type { Provider, ResourceCall } from "./handler";
import { dial, execute, type CommandResult, type SshConnection } from "./ssh";

/** Commands on a host, over real SSH, with the semantics of the provider. */
export const command: Provider = {
  resources: {
    "command:remote:Command": {
      replaceOn: ["triggers"],
      create: async (call) => {
        const id = `${call.name}${randomBytes(4).toString("hex")}`;
        return { id, outputs: await runOn(call, call.inputs["create"]) };
      },
      update: (call) => runOn(call, call.inputs["update"] ?? call.inputs["create"]),
      delete: async (call) => {
        await runOn(call, call.inputs["delete"]);
      },
    },
  },
};

async function runOn(call: ResourceCall, line: unknown): Promise<Plain> {
  const { inputs, signal, log } = call;
  const connection = inputs["connection"] as SshConnection;
  refuseUnsupported(inputs, connection);
  if (typeof line !== "string") return {};
  const client = await dial(connection, signal, log);
  try {
    const stdin = inputs["stdin"];
    const result: CommandResult = await execute(
      client,
      {
        command: line,
        ...(typeof stdin === "string" && { stdin }),
        ...(inputs["logging"] !== "none" && { onLine: log }),
      },
      signal,
    );
    return { ...result };
  } finally {
    client.end();
  }
}

function refuseUnsupported(inputs: Plain, connection: SshConnection): void {
  const environment = inputs["environment"] as Plain | undefined;
  if (environment && Object.keys(environment).length > 0) {
    throw new Error("environment: needs AcceptEnv in the host's sshd; pass the values over stdin instead");
  }
  if (connection.proxy !== undefined) throw new Error("connection.proxy: the sandbox has no bastion host");
  if (connection.agentSocketPath !== undefined) {
    throw new Error("connection.agentSocketPath: the sandbox uses keys of its own; pass privateKey instead");
  }
}
