#!/usr/bin/env bash
# Takes one app off this host: its route, containers, networks and images. Its volumes go only when the program asked
# for it with deleteData. Installed by slot.sh; it is in the app's own directory and removes that last.
set -Eeuo pipefail
root=$(dirname "$(readlink -f "$0")")
app=$(basename "$root")

exec 9>>"$root/lock"
flock --wait 900 9 || { echo "slipway: a release of $app is still running" >&2; exit 10; }

rm -f "/etc/caddy/slipway/$app.caddy" "/etc/caddy/slipway/$app-acme-ca.pem"
systemctl reload caddy

for project in "$app-blue" "$app-green" "$app-stateful"; do
  docker ps --all --quiet --filter "label=com.docker.compose.project=$project" | xargs -r docker rm --force --volumes >/dev/null
  docker network ls --quiet --filter "label=com.docker.compose.project=$project" | xargs -r docker network rm >/dev/null
done
docker network ls --quiet --filter "label=slipway.app=$app" | xargs -r docker network rm >/dev/null

for directory in "$root"/releases/*/; do
  docker volume ls --quiet --filter "label=slipway.app=$app" | { grep -E "_$(basename "$directory")\$" || true; } | xargs -r docker volume rm >/dev/null
done
if [ "$(cat "$root/delete-data")" = true ]; then
  docker volume ls --quiet --filter "label=slipway.app=$app" | xargs -r docker volume rm >/dev/null
fi

docker image ls --format '{{.Repository}}:{{.Tag}}' --filter "reference=slipway/$app/*" | xargs -r docker image rm >/dev/null || true
rm -rf "$root"
