#!/usr/bin/env bash
# The sandbox's DNS: what the public internet's name servers are to a droplet.
# usage: names.sh serve ADDRESS | names.sh ready | names.sh set NAME ADDRESS | names.sh remove NAME
set -euo pipefail
hosts=/etc/slipway/hosts
touch "$hosts"

rewrite() {
  exec 9>"$hosts.lock"
  flock 9
  awk -v name="$1" '$2 != name' "$hosts" >"$hosts.new"
  [ -z "${2:-}" ] || echo "$2 $1" >>"$hosts.new"
  mv "$hosts.new" "$hosts"
  pkill -HUP -x dnsmasq || true
}

case $1 in
serve)
  authority.sh init
  # 127.0.0.11 is Docker's own resolver: it asks whatever the machine asks.
  exec dnsmasq --keep-in-foreground --user=root --no-hosts --addn-hosts="$hosts" --local=/sandbox/ --local-ttl=1 \
    --no-resolv --server=127.0.0.11 --cache-size=0 --listen-address="$2" --bind-interfaces --log-facility=-
  ;;
ready) pgrep -x dnsmasq >/dev/null && [ -s /etc/slipway/tls/ca.crt ] ;;
set) rewrite "$2" "$3" ;;
remove) rewrite "$2" ;;
*)
  echo "usage: names.sh serve ADDRESS | ready | set NAME ADDRESS | remove NAME" >&2
  exit 64
  ;;
esac
