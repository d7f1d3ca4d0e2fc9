import type { HostStatus, ServiceStatus } from "../../components/release/day2";
import { table } from "../table";
import { daysBetween, type Finding } from "./judge";

/** What `slipway status` prints for people. */
export function statusView(status: HostStatus, findings: readonly Finding[], stack: string): string {
  const healthy = !findings.some(({ level }) => level === "error");
  const head = `${status.app} of stack ${stack}: ${healthy ? "healthy" : "NOT HEALTHY"}`;
  const facts: [string, string][] = [
    ["release", release(status)],
    ...edge(status),
    ...status.certificates.map(({ domain, notAfter }): [string, string] => [
      "certificate",
      notAfter === null
        ? `${domain}: none`
        : `${domain} until ${notAfter.slice(0, 10)} (${daysBetween(status.at, notAfter)} days)`,
    ]),
    ...status.disks.map(({ mount, sizeMib, freeMib }): [string, string] => [
      "disk",
      `${mount}: ${gib(freeMib)} of ${gib(sizeMib)} GiB free (${Math.round((freeMib / sizeMib) * 100)} %)`,
    ]),
    ...(status.lock === null ? [] : [["under way", status.lock.trim()] satisfies [string, string]]),
    ...status.runs.map((name): [string, string] => ["command", name]),
  ];
  const width = Math.max(...facts.map(([name]) => name.length));
  const sections = [
    [head, ...facts.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`)].join("\n"),
    ...(status.services.length === 0 ? [] : [services(status)]),
    ...(findings.length === 0 ? [] : [findings.map(describe).join("\n")]),
  ];
  return sections.join("\n\n");
}

function release({ release: number, since, colour, at }: HostStatus): string {
  if (number === null) return "none yet";
  const age = since === null ? "" : ` since ${minute(since)} (${ago(since, at)})`;
  return `${number}${age}${colour === null ? "" : `, ${colour}`}`;
}

function edge({ edge: answer }: HostStatus): [string, string][] {
  if (answer === null) return [];
  const said =
    answer.status === 0 ? "no answer" : `${answer.status} in ${Math.round(answer.seconds * 1000)} ms`;
  return [["edge", `${said} at ${answer.url}`]];
}

function services({ services: all, at }: HostStatus): string {
  const rows = all.map((service) => [
    service.role === "stateful" ? `${service.service} (data)` : service.service,
    state(service, at),
    String(service.restarts),
    shortImage(service.image),
  ]);
  return table([["service", "state", "restarts", "image"], ...rows]);
}

function state({ state: word, exitCode, health, startedAt }: ServiceStatus, at: string): string {
  if (word !== "running") return word === "exited" ? `exited (${exitCode})` : word;
  return `up ${ago(startedAt, at)}${health === null ? "" : `, ${health}`}`;
}

function describe({ level, message, cure }: Finding): string {
  return `${level}: ${message}\n  cure: ${cure}`;
}

/** `registry.example.com/shop/web@sha256:0123456789ab`: enough of a digest to know it by. */
export function shortImage(reference: string): string {
  return reference.replace(/(@sha256:[0-9a-f]{12})[0-9a-f]{52}$/, "$1");
}

/** `2026-11-21 13:05 UTC`. */
export function minute(time: string): string {
  return `${time.slice(0, 10)} ${time.slice(11, 16)} UTC`;
}

function ago(from: string, to: string): string {
  const seconds = Math.max(0, Math.round((Date.parse(to) - Date.parse(from)) / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 2 * 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

function gib(mib: number): string {
  return (mib / 1024).toFixed(1);
}
