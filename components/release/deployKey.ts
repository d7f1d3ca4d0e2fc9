import * as pulumi from "@pulumi/pulumi";
import { utils } from "ssh2";
import { refuseProblems, type Problem } from "../app/problem";

/** Why a text cannot be used as a private key, or nothing. The text itself is never repeated. */
export function validatePrivateKey(path: string, text: string): Problem[] {
  const parsed = utils.parseKey(text);
  if (!(parsed instanceof Error) && parsed.isPrivateKey()) return [];
  return [
    {
      path,
      received: "a secret value that is no private key, or one with a passphrase",
      accepted: "an OpenSSH or PEM private key without a passphrase",
      cure: "make one with: ssh-keygen -t ed25519 -N '' -f slipway-deploy",
    },
  ];
}

/** The public half of a private key, as it stands in `authorized_keys`. Throws naming component and path. */
export function deployPublicKey(
  component: string,
  path: string,
  privateKey: pulumi.Input<string>,
): pulumi.Output<string> {
  const line = pulumi.output(privateKey).apply((text) => {
    refuseProblems(component, validatePrivateKey(path, text));
    const key = utils.parseKey(text);
    if (key instanceof Error) throw key;
    return `${key.type} ${key.getPublicSSH().toString("base64")}`;
  });
  // The public half of a secret is no secret.
  return pulumi.unsecret(line);
}
