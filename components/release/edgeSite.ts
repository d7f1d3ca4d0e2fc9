import { type App, resolveApp } from "../app/app";

/** A certificate authority other than Let's Encrypt. */
export interface EdgeAcme {
  /** URL of its ACME directory. */
  readonly directory: string;
  /** Certificate (PEM) that its own HTTPS is trusted by. @default the system's certificates */
  readonly caCertificate?: string;
}

/** Options of the edge's site file. */
export interface EdgeSiteArgs {
  /** @default Let's Encrypt */
  readonly acme?: EdgeAcme;
  /** For the time in which an app that cannot run twice is replaced: requests wait for whichever release is there. */
  readonly handover?: boolean;
}

/** Where the parts of the edge are on the host. */
const edgePaths = {
  caddyfile: "/etc/caddy/Caddyfile",
  sites: "/etc/caddy/slipway",
  logs: "/var/log/caddy",
  admin: "/var/lib/caddy/admin.sock",
} as const;

/** Where the certificate of {@link EdgeAcme} is on the host. */
function acmeCaPath(app: string): string {
  return `${edgePaths.sites}/${app}-acme-ca.pem`;
}

function tls(app: string, acme: EdgeAcme | undefined): string {
  if (acme === undefined) {
    return "";
  }
  const roots = acme.caCertificate === undefined ? "" : `\t\t\ttrusted_roots ${acmeCaPath(app)}\n`;
  return `\ttls {\n\t\tissuer acme {\n\t\t\tdir ${acme.directory}\n${roots}\t\t}\n\t}\n`;
}

interface ProxyArgs {
  readonly upstream: string;
  readonly timeoutSeconds: number;
  readonly retrySeconds?: number;
  readonly dialSeconds?: number;
  readonly answers?: string;
}

function reverseProxy({ upstream, timeoutSeconds, retrySeconds, dialSeconds = 5, answers = "" }: ProxyArgs) {
  const retry =
    retrySeconds === undefined
      ? ""
      : `\t\tlb_try_duration ${String(retrySeconds)}s\n\t\tlb_try_interval 100ms\n`;
  return `	reverse_proxy ${upstream} {
${answers}		header_up X-Real-IP {remote_host}
${retry}		transport http {
			keepalive off
			dial_timeout ${String(dialSeconds)}s
			response_header_timeout ${String(timeoutSeconds)}s
		}
	}
`;
}

function proxy(timeoutSeconds: number): string {
  const header = "\theader {\n\t\tX-Slipway-Release __RELEASE__\n\t\tdefer\n\t}\n";
  return header + reverseProxy({ upstream: "127.0.0.1:__UPSTREAM_PORT__", timeoutSeconds, retrySeconds: 5 });
}

/**
 * Nobody listens at these addresses: the host leads them to the release that serves. Which one that was is looked up for
 * each answer, since a reload would cut off whoever waits. A request with a body cannot be sent a second time once its
 * connection was refused: those wait for the connection itself.
 */
function waitingProxy(app: string, timeoutSeconds: number): string {
  const answers = `		handle_response {
			route {
				header X-Slipway-Release __RELEASE__
				header @next X-Slipway-Release __NEXT_RELEASE__
				copy_response
			}
		}
`;
  const common = { timeoutSeconds, answers };
  return `	@next file {
		root ${edgePaths.sites}
		try_files /${app}.next
	}
	@body method POST PUT PATCH DELETE
${reverseProxy({ ...common, upstream: "@body 127.0.0.3:__UPSTREAM_PORT__", dialSeconds: 35 })}${reverseProxy({ ...common, upstream: "127.0.0.2:__UPSTREAM_PORT__", retrySeconds: 30 })}`;
}

const mebibyte = 1024 * 1024;

/**
 * The Caddy site of one app. The host fills in `__UPSTREAM_PORT__` (the loopback port of the colour that serves) and
 * `__RELEASE__`, and with `handover` the same of the release that is to come. Without domains it answers for every name that no other app has, so one app of a host may do so.
 */
export function renderEdgeSite(app: App, args: EdgeSiteArgs = {}): string {
  const { name, domains, limits } = resolveApp(app);
  const plain = domains.map((domain) => `http://${domain}`).join(", ");
  // Written out: a default site of another app on port 80 must not come before the redirect.
  const redirect =
    domains.length === 0
      ? ""
      : `${plain} {\n\theader X-Slipway-Release __RELEASE__\n\tredir https://{host}{uri} 308\n}\n\n`;
  const address = domains.length === 0 ? "http://" : domains.map((domain) => `https://${domain}`).join(", ");
  // lb_try: Docker takes its ports down for half a second when an upgrade restarts it.
  return `# Site of the app ${name}, written by its release: changes made here are lost.
${redirect}${address} {
${domains.length === 0 ? "" : tls(name, args.acme)}	log {
		output file ${edgePaths.logs}/${name}.log {
			roll_size 50MiB
			roll_keep 5
			roll_keep_for 720h
		}
	}
	@tooLarge expression \`{http.request.header.Content-Length} != "" && int({http.request.header.Content-Length}) > ${String(limits.maxBodyMib * mebibyte)}\`
	error @tooLarge 413
	request_body {
		max_size ${String(limits.maxBodyMib)}MiB
	}
${args.handover === true ? waitingProxy(name, limits.responseTimeoutSeconds) : proxy(limits.responseTimeoutSeconds)}	handle_errors {
		header X-Slipway-Release __RELEASE__
		respond "{http.error.status_code} {http.error.status_text}"
	}
}
`;
}

/** The edge's main file. Its admin interface is a socket of its own user, so that nothing else can change a route. */
export function renderCaddyfile(): string {
  return `{
	admin unix/${edgePaths.admin}
	import ${edgePaths.sites}/*.options
	servers {
		protocols h1 h2
		timeouts {
			read_header 30s
		}
	}
}

import ${edgePaths.sites}/*.caddy
`;
}
