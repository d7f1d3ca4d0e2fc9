// What DigitalOcean and the other providers answer in unit tests: fixed values, secrets marked as the providers do.
import * as pulumi from "@pulumi/pulumi";
import { keyPair as makeKeyPair } from "./keyPair";
import type { Answers } from "./recorder";

export const secretValues = {
  passwordA: "password-of-login-a-0123456789",
  passwordB: "password-of-login-b-0123456789",
  adminPassword: "AVNS_admin-password-0123456789",
  secretKey: "generated-secret-key-0123456789",
};

const keys = new Map<string, { private: string; public: string }>();

/** The same key pair for the same resource, whoever asks. */
export function keyPair(name: string): { private: string; public: string } {
  const known = keys.get(name) ?? makeKeyPair();
  keys.set(name, known);
  return known;
}

/** Texts that must never stand in the clear: every generated value, and a line of every private key. */
export function secretTexts(): string[] {
  const lines = [...keys.values()].map((pair) => pair.private.split("\n")[4] ?? "");
  return [...Object.values(secretValues), ...lines];
}

const passwords: Record<string, string> = {
  "database-password-a": secretValues.passwordA,
  "database-password-b": secretValues.passwordB,
  "secret-key": secretValues.secretKey,
};

export const answers: Answers = {
  "tls:index/privateKey:PrivateKey": (name) => ({
    privateKeyOpenssh: pulumi.secret(keyPair(name).private),
    privateKeyPem: pulumi.secret(keyPair(name).private),
    publicKeyOpenssh: `${keyPair(name).public}\n`,
  }),
  "random:index/randomPassword:RandomPassword": (name) => ({
    result: pulumi.secret(passwords[name] ?? name),
  }),
  "digitalocean:index/tag:Tag": () => ({}),
  "digitalocean:index/sshKey:SshKey": () => ({ id: "4711" }),
  "digitalocean:index/vpc:Vpc": () => ({ id: "vpc-uuid", ipRange: "10.10.0.0/20" }),
  "digitalocean:index/firewall:Firewall": () => ({}),
  "digitalocean:index/droplet:Droplet": () => ({
    id: "101",
    ipv4Address: "203.0.113.7",
    ipv4AddressPrivate: "10.10.0.2",
  }),
  "digitalocean:index/volume:Volume": () => ({ id: "volume-uuid" }),
  "digitalocean:index/volumeAttachment:VolumeAttachment": () => ({}),
  "digitalocean:index/reservedIp:ReservedIp": () => ({ id: "198.51.100.9", ipAddress: "198.51.100.9" }),
  "digitalocean:index/reservedIpAssignment:ReservedIpAssignment": () => ({}),
  "digitalocean:index/dnsRecord:DnsRecord": (_, { domain, name }) => ({
    fqdn: name === "@" ? String(domain) : `${String(name)}.${String(domain)}`,
  }),
  "digitalocean:index/databaseCluster:DatabaseCluster": () => ({
    id: "cluster-uuid",
    host: "db.example.net",
    privateHost: "private-db.example.net",
    port: 25060,
    user: "doadmin",
    password: pulumi.secret(secretValues.adminPassword),
    database: "defaultdb",
    uri: pulumi.secret(`postgresql://doadmin:${secretValues.adminPassword}@db.example.net:25060/defaultdb`),
    privateUri: pulumi.secret(
      `postgresql://doadmin:${secretValues.adminPassword}@private-db.example.net:25060/defaultdb`,
    ),
  }),
  "digitalocean:index/databaseFirewall:DatabaseFirewall": () => ({}),
  "digitalocean:index/databaseDb:DatabaseDb": () => ({}),
  "digitalocean:index/databaseConnectionPool:DatabaseConnectionPool": () => ({ port: 25061 }),
  "command:remote:Command": () => ({ stdout: '{"result":"done"}\n', stderr: "" }),
};

export const calls = {
  "digitalocean:index/getDatabaseCa:getDatabaseCa": () => ({
    certificate: "-----BEGIN CERTIFICATE-----\nMIIB\n",
  }),
};
