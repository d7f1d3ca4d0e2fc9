#!/usr/bin/env bash
# Fetches the images of the apps to a new machine, while the old one still serves with the data volume. What cannot be
# fetched stops everything before the volume moves.
set -Eeuo pipefail
payload=$1
export DOCKER_CONFIG=$payload/docker LC_ALL=C.UTF-8
umask 077
mkdir -p "$DOCKER_CONFIG"
exec 3>&1 >>/var/log/slipway-prepare.log

count=0
while read -r app; do
  server=$(jq -r '.registry.server // empty' <<<"$app")
  if [ -n "$server" ]; then
    jq -j .registry.password <<<"$app" |
      docker login --username "$(jq -r .registry.username <<<"$app")" --password-stdin "$server"
  fi
  while read -r image; do
    docker pull --quiet "$image"
    count=$((count + 1))
  done < <(jq -r '.images[]' <<<"$app")
done < <(jq -c '.[]' "$payload/images.json")
jq -cn --argjson images "$count" '{result: "fetched", images: $images}' >&3
