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

mkdir -p "$root/releases" "$root/log"
exec 8>/run/lock/slipway-slots.lock
flock --wait 60 8

if ! [ -s "$root/slot.json" ]; then
  taken=$({ cat /var/lib/slipway/*/slot.json 2>/dev/null || true; } | jq -s '[.[].ports[]]')
  jq -n --arg app "$app" --argjson taken "$taken" '
    [range(18000; 19000) | select(. as $port | $taken | index($port) | not)] as $free
    | {app: $app, ports: {blue: $free[0], green: $free[1]}}' | write_file "$root/slot.json"
fi

# Only what this app owns is removed; volumes only when the program said so.
jq -r .deleteData "$payload/slot.json" | write_file "$root/delete-data"
install -m 700 "$payload/remove.sh" "$root/remove.sh"
jq -c . "$root/slot.json"
