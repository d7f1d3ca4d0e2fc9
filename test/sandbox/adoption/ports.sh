#!/usr/bin/env bash
# Prints what Caddy understands of a site with a domain while the edge is aside, on both ports, and back.
set -Eeuo pipefail
payload=$(find /var/lib/slipway/shop/releases -name payload | head -n 1)
# shellcheck disable=SC2034 # read by what is sourced
app=shop
for part in lib aside; do
  # shellcheck source=/dev/null
  . "$payload/$part.sh"
done

adapted() { caddy adapt --adapter caddyfile --config /dev/stdin 2>/dev/null | jq -r "$1"; }

challenges='.apps.tls.automation.policies[0].issuers[0].challenges.http | "http-01 is \(if .disabled then "off" else "on" end)"'
site_with() { printf 'http://a.test {\n\tredir https://{host}{uri} 308\n}\n\nhttps://a.test {\n%s\trespond ok\n}\n' "$1"; }
given=$(site_with $'\ttls {\n\t\tissuer acme {\n\t\t\tdir https://acme.test/directory\n\t\t}\n\t}\n')
any=$(site_with '')

echo "aside, a given authority: $(without_http_challenge <<<"$given" | adapted "$challenges")"
echo "aside, any authority: $(without_http_challenge <<<"$any" | adapted "$challenges")"
both=$(without_http_challenge <<<"$any" | on_both_ports)
echo "both ports: $(adapted '[.apps.http.servers[].listen[]] | sort | join(" ")' <<<"$both")"
[ "$(on_one_port <<<"$both")" != "$any" ] || echo "one port: as it was"
