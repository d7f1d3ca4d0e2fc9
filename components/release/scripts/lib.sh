# shellcheck shell=bash
# What every part of a release needs: where things are, the log, the journal, the receipt, and how a failure is told.
# Sourced by release.sh and slot.sh, which set `payload` and `app` first.

root=/var/lib/slipway/$app
readonly root

say() { printf '%s  %s\n' "$(date -u +%H:%M:%S)" "$*"; }

spec() { jq -r "$@" "$payload/release.json"; }

# fail CODE MESSAGE CURE: ends the run. What undoes it is decided in one place, the EXIT trap of release.sh.
fail() {
  failure_code=$1 failure_message=$2 failure_cure=$3
  say "failed: $2"
  exit 1
}

# Replaces every secret value in the texts of a JSON document by ***. The values come from a file, never from argv.
redact_json() {
  jq -c --slurpfile secrets "$payload/secrets.json" '
    def clean: reduce $secrets[0][] as $secret (.; split($secret) | join("***"));
    walk(if type == "string" then clean else . end)'
}

# write_file PATH [MODE]: stdin becomes the file in one move, so that a reader or a crash never meets half of it. Where the
# disk is full the old file stays, whether the caller stops at errors or not.
write_file() {
  local temporary
  temporary=$(mktemp "$1.XXXXXX") || return 1
  if cat >"$temporary" && chmod "${2:-600}" "$temporary" && sync "$temporary" && mv -f "$temporary" "$1"; then return 0; fi
  rm -f "$temporary"
  return 1
}

load_state() {
  current_release='' current_colour='' current_config='' current_dir=''
  [ -s "$root/state.json" ] || return 0
  current_release=$(jq -r .release "$root/state.json")
  current_colour=$(jq -r .colour "$root/state.json")
  current_config=$(jq -r .config "$root/state.json")
  current_dir=$(jq -r .directory "$root/state.json")
}

# write_state RELEASE COLOUR CONFIG DIRECTORY: from here on this is what serves.
write_state() {
  jq -n --argjson release "$1" --arg colour "$2" --arg config "$3" --arg directory "$4" '$ARGS.named' |
    write_file "$root/state.json"
}

# The journal is what the next run reads when this one was killed. It is gone when a run ended by itself.
write_journal() {
  jq -n --arg step "$1" --argjson release "$release" --arg colour "$colour" --arg config "$config" \
    --arg directory "$directory" --arg log "$log" '$ARGS.named' | write_file "$root/journal.json"
}

slot_port() { jq -r --arg colour "$1" '.ports[$colour]' "$root/slot.json"; }

other_colour() { if [ "$1" = blue ]; then echo green; else echo blue; fi; }

# Without the commands that somebody runs beside the app: a release does not end those.
containers() {
  docker ps --all --format '{{.ID}} {{.Label "slipway.run"}}' --filter "label=com.docker.compose.project=$app-$1" "${@:2}" |
    awk 'NF == 1 { print $1 }'
}

# in_colour COLOUR DIRECTORY RELEASE ARGS…: docker compose for one colour, blind to the caller's environment.
in_colour() {
  local which=$1 at=$2 number=$3
  shift 3
  env -i PATH="$PATH" HOME=/root DOCKER_CONFIG="$docker_config" \
    SLIPWAY_APP="$app" SLIPWAY_COLOUR="$which" SLIPWAY_RELEASE="$number" SLIPWAY_APP_DIR="$at" \
    SLIPWAY_REVISION="${at##*/}" SLIPWAY_INGRESS_PORT="$(slot_port "$which")" \
    docker compose --ansi never --project-name "$app-$which" --project-directory "$at" \
    --file "$at/compose.yml" --file "$at/override.yml" --env-file "$at/.env" "$@"
}

# Seconds since the host started, with two decimals. Waits and measures go by it: the clock may be set at any time, and
# bash's SECONDS follows the clock.
uptime_now() {
  local up
  read -r up _ </proc/uptime
  echo "$up"
}

# seconds_now: the same in whole seconds, for arithmetic.
seconds_now() {
  local up
  read -r up _ </proc/uptime
  echo "${up%.*}"
}

since() { LC_ALL=C awk -v from="$1" -v to="$(uptime_now)" 'BEGIN { printf "%.2f", to - from }'; }
