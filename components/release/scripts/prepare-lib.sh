# shellcheck shell=bash
# What the preparation and the data volume have in common: the log, the receipt, and files that are written when they
# differ. Sourced by prepare.sh and volume.sh, which set `payload` first.
umask 022
trap '' PIPE HUP
log=/var/log/slipway-prepare.log
# Its end says what went wrong; the rest would only grow.
if [ "$(stat --format=%s "$log" 2>/dev/null || echo 0)" -gt 1048576 ]; then
  tail -n 1000 "$log" >"$log.1" && mv "$log.1" "$log"
fi
exec 3>&1 4>&2 >>"$log" 2>&1
trap finish EXIT

skipped='[]' part=start

finish() {
  local status=$?
  if [ "$status" = 0 ]; then
    jq -cn --argjson skipped "$skipped" '{result: "prepared", skipped: $skipped}' >&3
  else
    # jq may be what is missing.
    { echo "slipway: preparing the server failed in part $part; the end of $log:"; tail -n 30 "$log"; } >&4
    exit "$status"
  fi
}

setting() { sed -n "s/^$1=//p" "$payload/settings"; }

skip() {
  echo "skipped: $1"
  skipped=$(jq -cn --argjson all "$skipped" --arg one "$1" '$all + [$one]')
}

# differs FILE: true when stdin is not what the file holds; then it is written.
differs() {
  local new
  new=$(mktemp)
  cat >"$new"
  if cmp --silent "$new" "$1"; then
    rm -f "$new"
    return 1
  fi
  mkdir -p "$(dirname "$1")"
  install -m "${2:-644}" "$new" "$1"
  rm -f "$new"
}

run_parts() {
  local name
  for name in "$@"; do
    part=$name
    # shellcheck source=/dev/null
    . "$payload/prepare-$name.sh"
  done
  part=end
}
