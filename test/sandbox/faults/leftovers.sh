#!/usr/bin/env bash
# Prints what a release of the app in $1 has left on the host that does not belong to the one that serves.
set -euo pipefail
shopt -s nullglob
root=/var/lib/slipway/$1
colour=$(jq -r .colour "$root/state.json")

for file in "$root"/{journal.json,recover,site.before,site.none,site.old,retired} "$root"/*.json.?????? "/etc/caddy/slipway/$1".{next,caddy.new*} \
  "/etc/caddy/slipway/$1".check* /etc/systemd/system/slipway-recover-* /etc/systemd/system/*.wants/slipway-recover-* /run/slipway.*; do
  [ ! -e "$file" ] || echo "file $file"
done
nft list tables | { grep slipway_hold || true; }
systemctl list-units --all --plain --no-legend 'slipway-*-release-*' | sed 's/^/unit /'
pgrep --full --list-full '/run/slipway\.' | sed 's/^/process /' || true

mine=label=com.docker.compose.project=$1-$colour
docker ps --all --filter label=com.docker.compose.project --format '{{.Names}} {{.State}}' | sort >/tmp/all
docker ps --filter "$mine" --format '{{.Names}} {{.State}}' | sort | comm -13 - /tmp/all | sed 's/^/container /'
docker network ls --filter label=com.docker.compose.project --format '{{.Name}}' | sort >/tmp/all
docker network ls --filter "$mine" --format '{{.Name}}' | sort | comm -13 - /tmp/all | sed 's/^/network /'
docker volume ls --format '{{.Name}}' | { grep -E '_r[0-9]+-[0-9a-f]{8}$' || true; } |
  { grep -v "_$(basename "$(jq -r .directory "$root/state.json")")\$" || true; } | sed 's/^/volume /'

# Only releases that served have a directory.
for directory in "$root"/releases/*/; do
  number=$(jq .release "$directory/release.json" || echo 0)
  jq -e --argjson number "$number" -n 'any(inputs; .release == $number and .result == "released")' "$root/receipts.jsonl" >/dev/null ||
    echo "directory $directory"
done
