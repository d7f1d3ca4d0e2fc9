// A droplet that is ready for releases: network, firewall, keys that are known before the first connection, and
// Docker. Made once; releases come and go on it.
import type * as command from "@pulumi/command";
import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { refuseProblems } from "../app/problem";
import { checkAuthorizedKeys } from "../release/authorizedKeys";
import { checkConnection } from "../release/checkConnection";
import { deployPublicKey } from "../release/deployKey";
import type { Host } from "../release/host";
import { parsePublicKey } from "../release/hostKey";
import { prepareHost } from "../release/prepareHost";
import { validateDockerHostArgs, type DockerHostArgs } from "./dockerHostArgs";
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
 * Replaced by another machine when `region` or the VPC changes, or `monitoring`. Not when keys, userData or the
 * image change: those of a running machine are reconciled over SSH, or stay as they are.
 *
 * @example
 * const host = new DockerHost("host", { region: "fra1" });
 */
export class DockerHost extends pulumi.ComponentResource implements Host {
  /** How it is reached: address, user, private key and pinned host key. Secret. */
  public readonly connection: pulumi.Output<command.types.input.remote.ConnectionArgs>;
  /** The droplet's id. */
  public readonly identity: pulumi.Output<string>;
  /** The prepare step, after cloud-init and the data volume. */
  public readonly ready: readonly pulumi.Resource[];
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

    const hostKey = new tls.PrivateKey(`${name}-host-key`, { algorithm: "ED25519" }, { parent: this });
    const deployKey = this.deployKey(name, resolved);
    this.vpcUuid = this.network(name, resolved);
    const tag = new digitalocean.Tag(`${name}-tag`, { name: accountName(name) }, { parent: this });
    const firewall = this.firewall(name, resolved, tag);

    const authorizedKeys = checkAuthorizedKeys(title, deployKey.publicKey, resolved.authorizedKeys);
    const userData = pulumi
      .all([authorizedKeys, hostKey.privateKeyOpenssh, hostKey.publicKeyOpenssh])
      .apply(([keys, hostPrivateKey, hostPublicKey]) =>
        renderUserData({ user, authorizedKeys: keys, hostPrivateKey, hostPublicKey: hostPublicKey.trim() }),
      );
    // Without a key of the account, DigitalOcean mails a root password.
    const sshKey = new digitalocean.SshKey(
      `${name}-ssh-key`,
      { name: accountName(name, "deploy"), publicKey: deployKey.publicKey },
      { parent: this },
    );
    this.machine = new digitalocean.Droplet(
      name,
      {
        name: accountName(name),
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
    this.hostKeyFingerprint = hostKey.publicKeyOpenssh.apply((line) => parsePublicKey(line).fingerprint);
    this.connection = checkConnection(
      pulumi.secret({
        host: this.address,
        port: 22,
        user,
        privateKey: deployKey.privateKey,
        hostKey: hostKey.publicKeyOpenssh.apply((line) => parsePublicKey(line).line),
      }),
      title,
    );
    this.ready = this.prepare(name, resolved, authorizedKeys);

    this.registerOutputs({
      address: this.address,
      privateAddress: this.privateAddress,
      identity: this.identity,
      hostKeyFingerprint: this.hostKeyFingerprint,
      vpcUuid: this.vpcUuid,
      accessTag: (this.accessTag = tag.name),
    });
  }

  private deployKey(
    name: string,
    args: Resolved,
  ): { privateKey: pulumi.Output<string>; publicKey: pulumi.Output<string> } {
    if (args.deployPrivateKey !== undefined) {
      const privateKey = pulumi.secret(args.deployPrivateKey);
      return {
        privateKey,
        publicKey: deployPublicKey(`DockerHost "${name}"`, "deployPrivateKey", privateKey),
      };
    }
    const key = new tls.PrivateKey(`${name}-deploy-key`, { algorithm: "ED25519" }, { parent: this });
    return {
      privateKey: key.privateKeyOpenssh,
      publicKey: key.publicKeyOpenssh.apply((line) => parsePublicKey(line).line),
    };
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

  private prepare(name: string, args: Resolved, authorizedKeys: pulumi.Output<string[]>): pulumi.Resource[] {
    const host: Host = {
      connection: this.connection,
      identity: this.identity,
      ready: [],
      machine: this.machine,
    };
    const attached =
      args.mediaVolumeGib === undefined ? undefined : this.mediaVolume(name, args, args.mediaVolumeGib);
    const prepared = prepareHost(
      `${name}-prepare`,
      attached === undefined ? host : { ...host, ready: [attached.attachment] },
      { user, authorizedKeys, swapMib: args.swapMib, volume: attached?.volume },
      { parent: this },
    );
    return [prepared];
  }

  private mediaVolume(name: string, args: Resolved, size: number) {
    const volumeName = accountName(name, "media");
    const volume = new digitalocean.Volume(
      `${name}-media`,
      { name: volumeName, region: args.region, size, tags: [...commonTags()] },
      { parent: this, protect: args.protect },
    );
    const attachment = new digitalocean.VolumeAttachment(
      `${name}-media-attachment`,
      { volumeId: volume.id, dropletId: this.machine.id.apply(Number) },
      // A volume sits on one droplet at a time: the old one has to let go first.
      { parent: this, deleteBeforeReplace: true },
    );
    return {
      attachment,
      volume: { device: `/dev/disk/by-id/scsi-0DO_Volume_${volumeName}` },
    };
  }
}
