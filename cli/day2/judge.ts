// What is wrong with an app, from what its host says.
import type { HostStatus, ServiceStatus } from "../../components/release/day2";
import type { ReleaseFile } from "../../components/release/releaseFile";

export interface Finding {
  /** An `error` means that the app is not healthy; a `warning` that somebody should look. */
  readonly level: "error" | "warning";
  readonly message: string;
  readonly cure: string;
}

/** Below this a release is refused unless the stack says otherwise. */
const leastFreeMib = 1024;
const littleFree = 0.1;
/** The edge renews a certificate when a third of its time is left: 30 days of 90. */
const renewalIsLateDays = 14;
const dayMs = 86_400_000;

/** What the stack shall run, and where that is written. */
export interface Wanted {
  readonly file: string;
  readonly release?: ReleaseFile;
}

/** Everything that is to be said about the status, the worst first. */
export function judge(status: HostStatus, wanted: Wanted): Finding[] {
  const findings = [
    ...(status.release === null
      ? [error("no release serves", "ship one: slipway release set, then pulumi up")]
      : []),
    ...judgeRuns(status),
    ...status.services.flatMap(judgeService),
    ...judgeEdge(status),
    ...judgeCertificates(status),
    ...judgeDisks(status),
    ...judgeDrift(status, wanted),
  ];
  return findings.sort((a, b) => Number(a.level === "warning") - Number(b.level === "warning"));
}

function error(message: string, cure: string): Finding {
  return { level: "error", message, cure };
}

function warning(message: string, cure: string): Finding {
  return { level: "warning", message, cure };
}

function judgeService(service: ServiceStatus): Finding[] {
  const { service: name, state, exitCode, health, restarts, restartPolicy } = service;
  const read = `slipway logs --service ${name}`;
  // A job that something waited for has ended, and is not to run again.
  if (state === "exited" && exitCode === 0 && restartPolicy === "no") return [];
  if (state !== "running") {
    return [
      error(`${name} is ${state}${state === "exited" ? ` with code ${exitCode}` : ""}`, `read ${read}`),
    ];
  }
  if (health === "unhealthy") return [error(`${name} fails its own health check`, `read ${read}`)];
  if (restarts > 0) {
    const times = restarts === 1 ? "once" : `${restarts} times`;
    return [warning(`${name} was started again ${times} since the release`, `read ${read}`)];
  }
  return [];
}

function judgeEdge({ edge }: HostStatus): Finding[] {
  if (edge === null || (edge.status >= 200 && edge.status < 400)) return [];
  if (edge.status === 0) {
    return [
      error(
        `nothing answers at ${edge.url}`,
        "on the host, as root: systemctl status caddy; journalctl -u caddy",
      ),
    ];
  }
  return [error(`${edge.url} answers ${edge.status}`, "read slipway logs, and slipway logs --edge")];
}

function judgeCertificates({ certificates, at }: HostStatus): Finding[] {
  return certificates.flatMap(({ domain, notAfter }) => {
    const cure = `see that ${domain} leads to this host on ports 80 and 443; the reason is on the host: journalctl -u caddy`;
    if (notAfter === null) return [error(`there is no certificate for ${domain}`, cure)];
    const days = daysBetween(at, notAfter);
    if (days < 0) return [error(`the certificate of ${domain} has expired`, cure)];
    if (days < renewalIsLateDays) {
      return [warning(`the certificate of ${domain} ends in ${days} days and was not renewed`, cure)];
    }
    return [];
  });
}

export function daysBetween(from: string, to: string): number {
  return Math.floor((Date.parse(to) - Date.parse(from)) / dayMs);
}

function judgeDisks({ disks }: HostStatus): Finding[] {
  return disks.flatMap(({ mount, sizeMib, freeMib }) => {
    const cure = "see what fills it: docker system df on the host; or take a larger size";
    if (freeMib < leastFreeMib) {
      return [error(`${freeMib} MiB are free on ${mount}: a release needs ${leastFreeMib}`, cure)];
    }
    if (freeMib < sizeMib * littleFree) return [warning(`less than a tenth of ${mount} is free`, cure)];
    return [];
  });
}

function judgeRuns({ interrupted, restoring, lock }: HostStatus): Finding[] {
  if (restoring && lock === null) {
    return [
      error(
        "a restore was cut before it had ended",
        "run slipway restore again: it puts back what was there first",
      ),
    ];
  }
  if (interrupted === null) return [];
  const { release, step } = interrupted;
  return [
    error(
      `the run of release ${release} was cut in step ${step}`,
      "run pulumi up: it finishes it or takes it back",
    ),
  ];
}

function judgeDrift({ release }: HostStatus, { file, release: wanted }: Wanted): Finding[] {
  if (wanted === undefined || wanted.release === (release ?? 0)) return [];
  const says = `${file} says release ${wanted.release}, the host runs ${release ?? "none"}`;
  return wanted.release > (release ?? 0)
    ? [warning(says, "ship it with pulumi up; if that was refused, slipway releases says why")]
    : [warning(says, "somebody shipped from elsewhere: take the file from there (git pull)")];
}
