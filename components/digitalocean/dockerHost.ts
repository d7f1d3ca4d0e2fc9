// A droplet that is ready for releases: network, firewall, keys that are known before the first connection, and
// Docker. Made once; releases come and go on it.
import type * as command from "@pulumi/command";
import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import { refuseProblems } from "../app/problem";
import { checkAuthorizedKeys } from "../release/authorizedKeys";
import { checkConnection } from "../release/checkConnection";
import { deployPublicKey } from "../release/deployKey";
import type { Host } from "../release/host";
import { parsePublicKey } from "../release/hostKey";
import { prepareHost } from "../release/prepareHost";
import { RemoteScript } from "../release/remoteScript";
import { dataVolume } from "./dataVolume";
import { validateDockerHostArgs, type DockerHostArgs } from "./dockerHostArgs";
import { generationName, makeHostKeys, makeKey, type HostKeys, type MachineKey } from "./machineKeys";
import { accountName, commonTags } from "./names";
import { renderUserData } from "./userData";

const user = "deploy";
const anywhere = ["0.0.0.0/0", "::/0"];

/** What each optional argument means when it is left out. */
export function resolveDockerHostDefaults(args: DockerHostArgs) {
  return {
    ...args,
    size: args.size ?? "s-1vcpu-2gb",
    image: args.image ?? "debian-13-x64",
    sshFrom: args.sshFrom ?? anywhere,
    authorizedKeys: args.authorizedKeys ?? [],
    monitoring: args.monitoring ?? true,
    backups: args.backups ?? false,
    swapMib: args.swapMib ?? 1024,
    tags: args.tags ?? [],
    protect: args.protect ?? true,
    prefetch: args.prefetch ?? [],
    generation: args.generation ?? 1,
    hostKeyGenerations: args.hostKeyGenerations ?? [1],
    deployKeyGenerations: args.deployKeyGenerations ?? (args.deployPrivateKey === undefined ? [1] : []),
  };
}

// The arguments are kept in the state.
function withSecretKey(args: DockerHostArgs): DockerHostArgs {
  return args.deployPrivateKey === undefined
    ? args
    : { ...args, deployPrivateKey: pulumi.secret(args.deployPrivateKey) };
}

type Resolved = ReturnType<typeof resolveDockerHostDefaults>;

/**
 * A droplet with Docker that is reached by SSH with a pinned host key. It is ready when cloud-init and the prepare step are done.
 *
 * Creates a droplet, a firewall, a tag, an SSH key, two key pairs, and a VPC and a data volume where asked for.
 * Costs what the droplet costs (12 USD a month for the default size) and 0.10 USD a month per GiB of the volume.
 *
 * Replaced by another machine when `generation` counts up: the new one is made with what is set now, the releases go out
 * on it, the data volume moves, and the old one goes at the end. Replaced too when `region`, the VPC or `monitoring`
 * changes; count `generation` up along with them, or the new machine gets the keys and the image of the old one. Not
 * when keys, userData or the image change: those of a running machine are reconciled over SSH, or stay as they are.
 *
 * @example
 * const host = new DockerHost("host", { region: "fra1" });
 */
export class DockerHost extends pulumi.ComponentResource implements Host {
  /** How it is reached: address, user, private key and pinned host key. Secret. */
  public readonly connection: pulumi.Output<command.types.input.remote.ConnectionArgs>;
  /** The droplet's id. */
  public readonly identity: pulumi.Output<string>;
  /** The prepare step, after cloud-init. */
  public readonly ready: readonly pulumi.Resource[];
  /** What was taken over from the machine before: the data volume in its place, or the edge's certificates. */
  public readonly storage: readonly pulumi.Resource[];
  /** The droplet. */
  public readonly machine: digitalocean.Droplet;
  /** The public address of the droplet itself. */
  public readonly address: pulumi.Output<string>;
  /** The address in the VPC. */
  public readonly privateAddress: pulumi.Output<string>;
  /** As `ssh` shows it at the first connection: `SHA256:…`. */
  public readonly hostKeyFingerprint: pulumi.Output<string>;
  /** UUID of the VPC that the droplet is in. */
  public readonly vpcUuid: pulumi.Output<string>;
  /** A tag that only this host carries, also after its droplet was replaced: what a database lets in. */
  public readonly accessTag: pulumi.Output<string>;

  constructor(name: string, args: DockerHostArgs, opts?: pulumi.ComponentResourceOptions) {
    const title = `DockerHost "${name}"`;
    refuseProblems(title, validateDockerHostArgs(args));
    super("slipway:index:DockerHost", name, withSecretKey(args), opts);
    const resolved = resolveDockerHostDefaults(args);

    const hostKeys = makeHostKeys(name, resolved.hostKeyGenerations, this);
    const { deployKey, alsoLetIn } = this.deployKeys(name, resolved);
    this.vpcUuid = this.network(name, resolved);
    const tag = new digitalocean.Tag(`${name}-tag`, { name: accountName(name) }, { parent: this });
    const firewall = this.firewall(name, resolved, tag);

    const authorizedKeys = checkAuthorizedKeys(
      title,
      deployKey.publicKey,
      resolved.authorizedKeys,
      alsoLetIn,
    );
    const { pinned } = hostKeys;
    const userData = pulumi
      .all([authorizedKeys, pinned.privateKey, pinned.publicKey])
      .apply(([keys, hostPrivateKey, hostPublicKey]) =>
        renderUserData({
          user,
          authorizedKeys: keys,
          hostPrivateKey,
          hostPublicKey,
          hostKeyType: pinned.type,
        }),
      );
    // Without a key of the account, DigitalOcean mails a root password. Only that is what it is for (root may not log
    // in), so that a new deploy key is no reason for another one.
    const sshKey = new digitalocean.SshKey(
      `${name}-ssh-key`,
      { name: accountName(name, "deploy"), publicKey: deployKey.publicKey },
      { parent: this, ignoreChanges: ["publicKey"] },
    );
    // Under another name with each generation: only a resource of its own takes the inputs that are ignored otherwise,
    // and the old machine goes when everything else is done.
    this.machine = new digitalocean.Droplet(
      generationName(name, resolved.generation),
      {
        name: generationName(accountName(name), resolved.generation),
        region: resolved.region,
        size: resolved.size,
        image: resolved.image,
        vpcUuid: this.vpcUuid,
        sshKeys: [sshKey.id],
        userData: pulumi.secret(userData),
        monitoring: resolved.monitoring,
        backups: resolved.backups,
        tags: [...commonTags(), tag.name, ...resolved.tags],
        ...resolved.overrides?.droplet,
      },
      // The firewall goes by the tag: made first, it covers the machine from its first second.
      { parent: this, dependsOn: [firewall], ignoreChanges: ["userData", "sshKeys", "image"] },
    );

    this.address = this.machine.ipv4Address;
    this.privateAddress = this.machine.ipv4AddressPrivate;
    this.identity = this.machine.id;
    this.hostKeyFingerprint = pinned.publicKey.apply((line) => parsePublicKey(line).fingerprint);
    this.connection = checkConnection(
      pulumi.secret({
        host: this.address,
        port: 22,
        user,
        privateKey: deployKey.privateKey,
        hostKey: pinned.publicKey,
      }),
      title,
      { bootSeconds: 30 },
    );
    this.ready = [this.prepare(name, resolved, authorizedKeys, hostKeys)];
    this.storage = this.keptData(name, resolved, deployKey, pinned);

    this.registerOutputs({
      address: this.address,
      privateAddress: this.privateAddress,
      identity: this.identity,
      hostKeyFingerprint: this.hostKeyFingerprint,
      vpcUuid: this.vpcUuid,
      accessTag: (this.accessTag = tag.name),
    });
  }

  // A given key goes before those that are made here: they are let in for a change from the one to the other.
  private deployKeys(
    name: string,
    args: Resolved,
  ): { readonly deployKey: MachineKey; readonly alsoLetIn: readonly pulumi.Output<string>[] } {
    const made = args.deployKeyGenerations.map((generation) =>
      makeKey(`${name}-deploy-key`, generation, "ed25519", this),
    );
    const [deployKey, ...others] = [...this.givenKey(name, args), ...made];
    if (deployKey === undefined) throw new Error("neither deployPrivateKey nor deployKeyGenerations");
    return { deployKey, alsoLetIn: others.map(({ publicKey }) => publicKey) };
  }

  private givenKey(name: string, args: Resolved): readonly MachineKey[] {
    if (args.deployPrivateKey === undefined) return [];
    const privateKey = pulumi.secret(args.deployPrivateKey);
    const publicKey = deployPublicKey(`DockerHost "${name}"`, "deployPrivateKey", privateKey);
    return [{ privateKey, publicKey }];
  }

  private network(name: string, args: Resolved): pulumi.Output<string> {
    if (args.vpcUuid !== undefined) return pulumi.output(args.vpcUuid);
    const vpc = new digitalocean.Vpc(
      `${name}-vpc`,
      // The region is part of the name: it is what replaces a VPC, and names are unique in an account.
      { name: pulumi.interpolate`${accountName(name)}-${args.region}`, region: args.region },
      { parent: this },
    );
    return vpc.id;
  }

  private firewall(name: string, args: Resolved, tag: digitalocean.Tag): digitalocean.Firewall {
    return new digitalocean.Firewall(
      `${name}-firewall`,
      {
        name: accountName(name),
        tags: [tag.name],
        inboundRules: [
          { protocol: "tcp", portRange: "22", sourceAddresses: [...args.sshFrom] },
          { protocol: "tcp", portRange: "80", sourceAddresses: anywhere },
          { protocol: "tcp", portRange: "443", sourceAddresses: anywhere },
        ],
        // A firewall without outbound rules lets nothing out.
        outboundRules: [
          { protocol: "tcp", portRange: "1-65535", destinationAddresses: anywhere },
          { protocol: "udp", portRange: "1-65535", destinationAddresses: anywhere },
          { protocol: "icmp", destinationAddresses: anywhere },
        ],
      },
      { parent: this },
    );
  }

  private prepare(
    name: string,
    args: Resolved,
    authorizedKeys: pulumi.Output<string[]>,
    hostKeys: HostKeys,
  ): RemoteScript {
    return prepareHost(
      `${name}-prepare`,
      { connection: this.connection, identity: this.identity, ready: [], machine: this.machine },
      { user, authorizedKeys, hostKeys: hostKeys.served, swapMib: args.swapMib },
      { parent: this },
    );
  }

  // What a new machine takes over from the one before it.
  private keptData(
    name: string,
    args: Resolved,
    deployKey: MachineKey,
    hostKey: MachineKey,
  ): readonly RemoteScript[] {
    const { mediaVolumeGib, generation, reachedAt } = args;
    if (mediaVolumeGib !== undefined) return [this.mediaVolume(name, args, mediaVolumeGib)];
    if (reachedAt === undefined || generation === 1) return [];
    const fetched = new RemoteScript(
      generationName(`${name}-certificates`, generation),
      {
        host: this,
        entry: "certificates.sh",
        files: {
          user,
          address: reachedAt,
          deploy_key: pulumi.secret(deployKey.privateKey),
          host_key: hostKey.publicKey,
        },
        once: true,
      },
      { parent: this },
    );
    return [fetched];
  }

  private mediaVolume(name: string, args: Resolved, sizeGib: number): RemoteScript {
    const { region, generation, prefetch, protect } = args;
    const dropletId = this.machine.id.apply(Number);
    return dataVolume(name, { region, sizeGib, generation, dropletId, host: this, prefetch, protect }, this);
  }
}
