import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureAcme } from "../bodies/acme";
import { ensureRegistry } from "../bodies/registry";
import type { Sandbox } from "../bodies/sandbox";
import { openSandbox, type LocalStack } from "../local";
import { command } from "./command";
import { databases } from "./digitalocean/databases";
import { machines } from "./digitalocean/machines";
import { network } from "./digitalocean/network";
import { volumes } from "./digitalocean/volumes";
import type { InvokeHandler, Provider, ResourceHandler } from "./handler";
import { random } from "./random";
import { tls } from "./tls";

export interface Resources {
  readonly provider: Provider;
  /** What an overlay means by `${name}`. */
  readonly lookUp: (name: string) => Promise<string>;
}

/** Everything that the sandbox can carry out for one stack. Bodies are started when a resource asks for them. */
export function resources(stack: LocalStack, log: (line: string) => void): Resources {
  const sandbox = openSandbox(stack, log);
  const lookUp = (name: string): Promise<string> => lookUpIn(sandbox, stack.sandboxDirectory, name);
  const digitalocean = [machines, network, volumes, databases].map((provider) => provider(sandbox));
  return { provider: merged([random, tls, command, ...digitalocean]), lookUp };
}

function merged(providers: readonly Provider[]): Provider {
  const handlers: Record<string, ResourceHandler> = {};
  const invokes: Record<string, InvokeHandler> = {};
  for (const provider of providers) {
    Object.assign(handlers, provider.resources);
    Object.assign(invokes, provider.invokes);
  }
  return { resources: handlers, invokes };
}

async function lookUpIn(sandbox: Sandbox, directory: string, name: string): Promise<string> {
  switch (name) {
    case "acme.directory":
      return (await ensureAcme(sandbox)).directory;
    case "acme.caCertificateFile": {
      const file = join(directory, "acme-ca.crt");
      const { caCertificate } = await ensureAcme(sandbox);
      writeFileSync(file, caCertificate);
      return file;
    }
    case "registry.server":
      return (await ensureRegistry(sandbox)).server;
    case "registry.username":
      return (await ensureRegistry(sandbox)).username;
    case "registry.password":
      return (await ensureRegistry(sandbox)).password;
    default:
      throw new Error(
        `an overlay asks for \${${name}}; known are acme.directory, acme.caCertificateFile, registry.server, ` +
          "registry.username and registry.password",
      );
  }
}
