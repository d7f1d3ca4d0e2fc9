import { renderCaddyfile, renderEdgeSite } from "../../../components/release/edgeSite";
import { appWith } from "../../support/composeApps";

// That Caddy does what these texts say is shown in test/sandbox/edgeSite.test.ts.
describe("renderEdgeSite", () => {
  it("answers plain HTTP for every name without domains", () => {
    const limits = { maxBodyMib: 20, responseTimeoutSeconds: 90 };
    expect(renderEdgeSite(appWith("", { limits })))
      .toBe(`# Site of the app shop, written by its release: changes made here are lost.
http:// {
	log {
		output file /var/log/caddy/shop.log {
			roll_size 50MiB
			roll_keep 5
			roll_keep_for 720h
		}
	}
	@tooLarge expression \`{http.request.header.Content-Length} != "" && int({http.request.header.Content-Length}) > 20971520\`
	error @tooLarge 413
	request_body {
		max_size 20MiB
	}
	header {
		X-Slipway-Release __RELEASE__
		defer
	}
	reverse_proxy 127.0.0.1:__UPSTREAM_PORT__ {
		header_up X-Real-IP {remote_host}
		lb_try_duration 5s
		lb_try_interval 100ms
		transport http {
			keepalive off
			dial_timeout 5s
			response_header_timeout 90s
		}
	}
	handle_errors {
		header X-Slipway-Release __RELEASE__
		respond "{http.error.status_code} {http.error.status_text}"
	}
}
`);
  });

  it("redirects to HTTPS with domains, and gets certificates where it is told to", () => {
    const app = appWith("", { domains: ["shop.example.com", "www.example.com"] });
    const site = renderEdgeSite(app, { acme: { directory: "https://acme.test/dir", caCertificate: "PEM" } });
    expect(site).toContain(`
http://shop.example.com, http://www.example.com {
	header X-Slipway-Release __RELEASE__
	redir https://{host}{uri} 308
}

https://shop.example.com, https://www.example.com {
	tls {
		issuer acme {
			dir https://acme.test/dir
			trusted_roots /etc/caddy/slipway/shop-acme-ca.pem
		}
	}
`);
  });

  it("lets requests wait for either release while an app that cannot run twice is replaced", () => {
    const site = renderEdgeSite(appWith(""), { handover: true });
    expect(site).toContain(`	reverse_proxy @body 127.0.0.3:__UPSTREAM_PORT__ {`);
    expect(site).toContain("			dial_timeout 35s\n");
    expect(site).toContain(`	reverse_proxy 127.0.0.2:__UPSTREAM_PORT__ {
		handle_response {
			route {
				header X-Slipway-Release __RELEASE__
				header @next X-Slipway-Release __NEXT_RELEASE__
				copy_response
			}
		}
		header_up X-Real-IP {remote_host}
		lb_try_duration 30s
`);
  });

  it("leaves the certificate authority to Caddy when nothing is said", () => {
    expect(renderEdgeSite(appWith("", { domains: ["shop.example.com"] }))).not.toContain("tls");
  });
});

describe("renderCaddyfile", () => {
  it("keeps the admin interface off the network and takes in every site", () => {
    expect(renderCaddyfile()).toBe(`{
	admin unix//var/lib/caddy/admin.sock
	import /etc/caddy/slipway/*.options
	servers {
		protocols h1 h2
		timeouts {
			read_header 30s
		}
	}
}

import /etc/caddy/slipway/*.caddy
`);
  });
});
