#!/usr/bin/env bash
# Takes one app off this host: its route, containers, networks and images. Its volumes go only when the program asked
# for it with deleteData. Installed by slot.sh; it is in the app's own directory and removes that last.
set -Eeuo pipefail
# Without a release there is no directory, and the pattern itself would name every volume.
shopt -s nullglob
root=$(dirname "$(readlink -f "$0")")
app=$(basename "$root")

exec 9>>"$root/lock"
flock --wait 900 9 || { echo "slipway: a release of $app is still running" >&2; exit 10; }
# Another app may be about to start an image that both have.
exec 7>>/run/lock/slipway-host.lock
flock --wait 1800 7 || { echo "slipway: a release is still running: $(cat /run/lock/slipway-host.lock)" >&2; exit 10; }
printf '%s, its removal, process %s\n' "$app" "$$" >/run/lock/slipway-host.lock

exec 8>/run/lock/slipway-edge.lock
flock --wait 60 8
# A takeover that was never finished.
if [ -e "$root/classic.json" ]; then
  systemctl disable --quiet --now slipway-aside.service 2>/dev/null || true
  rm -f /etc/systemd/system/slipway-aside.service /etc/slipway/aside.nft /etc/caddy/slipway/_aside.options
fi
# No name of an app holds a dot, so these are of this one alone.
rm -f "/etc/caddy/slipway/$app".* "/etc/caddy/slipway/$app-acme-ca.pem"*
systemctl reload caddy || echo "slipway: caddy did not reload; look at: journalctl -u caddy" >&2
exec 8>&-
rm -f "/var/log/caddy/$app.log" "/var/log/caddy/$app"-[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T*.log*
rm -f "/etc/systemd/system/slipway-recover-$app.service"* "/etc/systemd/system/multi-user.target.wants/slipway-recover-$app.service"

delete_data=$(cat "$root/delete-data")
for project in "$app-blue" "$app-green" "$app-stateful"; do
  # A database may keep its data in a volume without a name, which goes with its container when told so.
  anonymous=--volumes
  if [ "$project" = "$app-stateful" ] && [ "$delete_data" != true ]; then anonymous=--volumes=false; fi
  # Data that is kept deserves an orderly end.
  docker ps --quiet --filter "label=com.docker.compose.project=$project" | xargs -r docker stop >/dev/null
  docker ps --all --quiet --filter "label=com.docker.compose.project=$project" | xargs -r docker rm --force "$anonymous" >/dev/null
  docker network ls --quiet --filter "label=com.docker.compose.project=$project" | xargs -r docker network rm >/dev/null
done
docker network ls --quiet --filter "label=slipway.app=$app" | xargs -r docker network rm >/dev/null

for directory in "$root"/releases/*/; do
  docker volume ls --quiet --filter "label=slipway.app=$app" | { grep -E "_$(basename "$directory")\$" || true; } | xargs -r docker volume rm >/dev/null
done
if [ "$delete_data" = true ]; then
  docker volume ls --quiet --filter "label=slipway.app=$app" | xargs -r docker volume rm >/dev/null
fi

docker image ls --format '{{.Repository}}:{{.Tag}}' --filter "reference=slipway/$app/*" | while read -r reference; do
  image=$(docker image inspect --format '{{.Id}}' "$reference")
  docker image rm "$reference" >/dev/null || true
  # What was pulled by digest has that name too. It stays where another app has a tag on it.
  [ -z "$(docker image inspect --format '{{range .RepoTags}}{{.}}{{end}}' "$image" 2>/dev/null)" ] || continue
  docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$image" 2>/dev/null | xargs -r docker image rm >/dev/null || true
done
rm -rf "$root"
