#!/usr/bin/env bash
# shellcheck disable=SC2030,SC2031,SC2317,SC2329 # called by what is sourced, in the same subshell
# Prints what preflight says of servers that cannot be taken over. Run on one that can be, as each of them by turns.
set -Eeuo pipefail
shipped=$(find /var/lib/slipway/shop/releases -name payload | head -n 1)

# refused NAME OPTIONS CHECK: the code with which the check refuses, with the release's options changed.
refused() (
  payload=$(mktemp -d)
  trap 'rm -rf "$payload"' EXIT
  cp -r "$shipped/." "$payload"
  jq "$2" "$shipped/options.json" >"$payload/options.json"
  # shellcheck disable=SC2034 # read by what is sourced
  app=shop
  for part in lib aside adopt recreate; do
    # shellcheck source=/dev/null
    . "$payload/$part.sh"
  done
  fail() {
    echo "$name: $1"
    exit
  }
  name=$1
  "$3"
  echo "$name: nothing"
)

refused "as it is" . check_adoption
refused "a project that is not there" '.adopt.project = "ap"' check_something_is_there
refused "data that two would write" '.stateful = ["web"]' check_adoption
alone() {
  jq '.strategy = "recreate"' "$shipped/release.json" >"$payload/release.json"
  check_adoption
}
refused "an app that cannot run twice" . alone
(
  ufw() { printf 'Status: active\n\n80/tcp ALLOW Anywhere\n'; }
  refused "a firewall that is closed" . check_adoption
)
docker run --detach --name tls --publish 443:80 --entrypoint sleep \
  --label com.docker.compose.project=app --label com.docker.compose.oneoff=False \
  "$(docker inspect --format '{{.Image}}' app-nginx-1)" 60 >/dev/null
refused "HTTPS of its own" . check_adoption
docker rm --force tls >/dev/null
