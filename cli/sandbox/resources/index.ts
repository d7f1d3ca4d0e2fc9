import { command } from "./command";
import type { Provider } from "./handler";
import { random } from "./random";
import { tls } from "./tls";

export interface Resources {
  readonly provider: Provider;
  readonly lookUp: (name: string) => Promise<string>;
}

/** Everything that the sandbox can carry out for one stack. Bodies are started when a resource asks for them. */
export function resources(
  _stack: { readonly stack: string; readonly sandboxDirectory: string },
  _log: (line: string) => void,
): Resources {
  const providers = [random, tls, command];
  return {
    provider: {
      resources: Object.assign(
        {},
        ...providers.map((provider) => provider.resources),
      ) as Provider["resources"],
      invokes: Object.assign(
        {},
        ...providers.map((provider) => provider.invokes ?? {}),
      ) as Provider["invokes"],
    },
    lookUp: (name) => Promise.reject(new Error(`overlay: \${${name}} is not known`)),
  };
}
