#!/usr/bin/env bash
# Runs the edge's files in a real Caddy, with another one as the certificate authority, and prints what clients get:
# one JSON object per line.
set -euo pipefail

as_caddy() {
  setpriv --reuid caddy --regid caddy --clear-groups --inh-caps=+net_bind_service --ambient-caps=+net_bind_service \
    env HOME=/var/lib/caddy "$@"
}
wait_for() { timeout 20 bash -c 'until "$@" >/dev/null 2>&1; do sleep 0.05; done' - "$@"; }

# ask NAME CURL-ARGUMENTS…
ask() {
  local name=$1 status
  shift
  status=$(curl --silent --dump-header head --output body --write-out '%{http_code}' --max-time 10 "$@" || true)
  jq -nc --arg name "$name" --arg status "$status" --rawfile head head --rawfile body body '{
    name: $name, status: ($status | tonumber), body: ($body | fromjson? // $body),
    headers: [$head | split("\r\n")[1:][] | select(. != "") | capture("(?<key>[^:]*): (?<value>.*)") | .key |= ascii_downcase]
  }'
  : >body
}

: >body
echo "127.0.0.1 shop.example.com" >>/etc/hosts
install -d -o caddy -g caddy /var/log/caddy
mkdir -p /etc/caddy/slipway
python3 upstream.py 18000 &
python3 upstream.py 18002 &
HOME=/root caddy run --adapter caddyfile --config authority.caddyfile >authority.log 2>&1 &
wait_for test -s /root/.local/share/caddy/pki/authorities/local/root.crt
cp /root/.local/share/caddy/pki/authorities/local/root.crt /etc/caddy/slipway/shop-acme-ca.pem
chmod 644 /etc/caddy/slipway/shop-acme-ca.pem
wait_for curl --silent --insecure https://localhost:9443/acme/local/directory

cp Caddyfile /etc/caddy/Caddyfile
cp plain.caddy /etc/caddy/slipway/
as_caddy caddy run --config /etc/caddy/Caddyfile >edge.log 2>&1 &
wait_for curl --silent http://127.0.0.1/
ask plain --header 'Host: 203.0.113.7' --header 'X-Forwarded-For: 6.6.6.6' --header 'X-Forwarded-Proto: https' http://127.0.0.1/page
head -c 1048576 /dev/zero >fits
head -c 1048577 /dev/zero >large
ask fits --data-binary @fits http://127.0.0.1/
ask large --data-binary @large http://127.0.0.1/
ask slow http://127.0.0.1/slow
ask admin http://127.0.0.1:2019/config/

cp shop.caddy /etc/caddy/slipway/
as_caddy caddy reload --config /etc/caddy/Caddyfile --force >reload.log 2>&1
wait_for curl --silent --cacert /etc/caddy/slipway/shop-acme-ca.pem https://shop.example.com/
ask redirect 'http://shop.example.com/a/b?c=d'
ask https --cacert /etc/caddy/slipway/shop-acme-ca.pem --header 'X-Forwarded-Proto: http' https://shop.example.com/
ask plain-beside --header 'Host: other.example.com' http://127.0.0.1/
jq -c '{name: "log", host: .request.host, status}' /var/log/caddy/plain.log | head -n 1
