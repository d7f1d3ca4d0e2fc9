#!/usr/bin/env bash
# Makes room for one app on this host: its directory, two loopback ports that no other app has, and the script that
# takes all of it away again. Run again it keeps what is there.
set -Eeuo pipefail
payload=$1
app=$(jq -r .app "$payload/slot.json")
# shellcheck source=SCRIPTDIR/lib.sh
. "$payload/lib.sh"
umask 077
trap '' PIPE HUP

exec 8>/run/lock/slipway-slots.lock
flock --wait 60 8

# Two stacks with one name would take turns at shipping their app into the other's place.
owner=$(jq -r .owner "$payload/slot.json")
if [ -s "$root/owner" ] && [ "$(cat "$root/owner")" != "$owner" ]; then
  printf 'slipway: the app %s of this host belongs to the stack %s; received %s. Give yours another name; was the stack renamed, remove %s on the host\n' \
    "$app" "$(cat "$root/owner")" "$owner" "$root/owner" >&2
  exit 20
fi
mkdir -p "$root/releases" "$root/log"
printf '%s\n' "$owner" | write_file "$root/owner"

# Those of the other apps, whether they run or not, and all that any program of the host listens on.
taken_ports() {
  local slot
  for slot in /var/lib/slipway/*/slot.json; do
    if [ -s "$slot" ] && [ "$slot" != "$root/slot.json" ]; then jq '.ports[]' "$slot"; fi
  done
  ss -Hltn | awk '{ sub(/.*:/, "", $4); print $4 }'
}

# Ports that a release listens on stay; before the first one they are still free to choose.
if ! [ -s "$root/slot.json" ] || ! { [ -e "$root/state.json" ] || [ -e "$root/journal.json" ]; }; then
  taken_ports | jq -s --arg app "$app" '
    ([range(18000; 19000)] - .) as $free
    | {app: $app, ports: {blue: $free[0], green: $free[1]}}' | write_file "$root/slot.json"
fi

# Only what this app owns is removed; volumes only when the program said so.
jq -r .deleteData "$payload/slot.json" | write_file "$root/delete-data"
install -m 700 "$payload/remove.sh" "$root/remove.sh"
# What the day-2 commands of `slipway` call.
install -d -m 700 "$root/bin"
install -m 600 "$payload"/{lib,colour,day2-*}.sh "$payload/day2-volume.py" "$root/bin/"
install -m 700 "$payload/day2.sh" "$root/bin/day2.sh"
jq -c . "$root/slot.json"
