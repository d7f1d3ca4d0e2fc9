#!/usr/bin/env bash
# Gives port 80 back to the containers of the classic project, without a refused connection. Installed in the app's own
# directory on the host by the release that took them over; run as root. When it was cut, run it again; any later
# release adopts the project once more.
set -Eeuo pipefail
export LC_ALL=C.UTF-8
umask 077
root=$(dirname "$(readlink -f "$0")")
app=$(basename "$root")
# The release that serves has kept all that it was shipped with.
payload=$(jq -r .directory "$root/state.json" 2>/dev/null)/payload || {
  echo "slipway: no release of $app serves on this host" >&2
  exit 1
}
release=$(jq -r .release "$payload/release.json")
docker_config=$payload/docker mode=back
readonly app payload release docker_config mode
for part in lib recover colour edge aside workers gate adopt takeover; do
  # shellcheck source=/dev/null
  . "$payload/$part.sh"
done
failure_message='' failure_cure='' stage=begin
trap '' PIPE HUP
trap 'exit 143' TERM INT
trap finish EXIT

finish() {
  local status=$?
  set +e
  [ "$status" != 0 ] || exit 0
  if [ "$stage" = classic-starts ] && ! classic_answers; then
    remembered .port | xargs -r docker stop --time 1 >/dev/null
    come_back && say "taken back: release $current_release serves on"
  fi
  say "${failure_message:-ended with status $status in stage $stage}${failure_cure:+; $failure_cure}"
  exit "$status"
}

check() {
  local id
  [ -s "$adopted" ] || [ -s "$classic" ] || fail no-way-back "no classic project is remembered on this host" "look at: docker ps --all"
  while read -r id; do
    docker inspect "$id" >/dev/null 2>&1 ||
      fail no-way-back "the container $(memory | jq -r --arg id "$id" '.containers[] | select(.id == $id) | .name') is gone" \
        "deploy the classic way, with port 80 free: systemctl stop caddy"
  done < <(remembered true)
  [ -n "$(remembered .port)" ] || fail no-way-back "no container of the project was published on port 80" "start them by hand: docker start NAME"
  [ -z "$(containers stateful --filter status=running)" ] ||
    fail no-way-back "services with data of their own run in the project $app-stateful" \
      "docker compose --project-name $app-stateful stop; docker start the classic ones; then run this again"
}

classic_address() {
  docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}' "$1" | cut -d' ' -f1
}

# Any answer that is the app's own.
classic_answers() {
  local id
  id=$(remembered .port | running | head -n 1)
  [ -n "$id" ] || return 1
  case $(curl --silent --max-time 5 --output /dev/null --write-out '%{http_code}' --header "Host: $(spec .health.host)" \
    "http://$(classic_address "$id"):$(remembered_port "$id")/") in 000 | 5??) return 1 ;; esac
}

all_but() { comm -23 <(remembered true | sort) <(spec "$1" | remembered_services | sort); }

start_classic() {
  local try until
  all_but '.workers[], .singletons[]' | comm -23 - <(remembered .port | sort) | xargs -r docker start >/dev/null
  if [ -z "$(remembered .port | running)" ]; then
    leave_port
    stage=classic-starts
    for try in $(seq 10); do
      if remembered .port | xargs docker start >/dev/null; then break; fi
      [ "$try" -lt 10 ] || fail edge-taken "port 80 is not free" "see who has it: ss -ltnp '( sport = :80 )'"
      sleep 0.5
    done
  fi
  until=$(($(seconds_now) + $(spec .health.timeoutSeconds)))
  until classic_answers; do
    [ "$(seconds_now)" -lt "$until" ] || fail gate-timeout "the classic containers do not answer" "look at: docker logs"
    sleep 0.3
  done
}

# From both ports, over the redirect, to the edge's own: nobody is refused on the way.
leave_port() {
  if ! redirect_is_on; then
    if ! resite on_both_ports || ! reload_edge; then
      fail edge-refused "caddy does not take port $aside_port" "look at: journalctl -u caddy"
    fi
    redirect_on || fail takeover-failed "connections cannot be redirected" "read nft's words above"
    sleep 1
  fi
  go_aside
  if ! resite on_one_port || ! reload_edge; then
    fail edge-refused "caddy does not leave port 80" "look at: journalctl -u caddy"
  fi
}

# Beat never twice: the release's own stop first.
change_workers() {
  local role
  for role in singletons workers; do
    in_role "$current_colour" "$role" --filter status=running | xargs -r docker stop --time "$(spec .drainSeconds)" >/dev/null
  done
  spec '.workers[], .singletons[]' | remembered_services | xargs -r docker start >/dev/null
}

# The last connections of the release end on the edge's own port.
leave_edge() {
  local until port
  rm -f "$site" "$aside"
  reload_edge
  port=$(slot_port "$current_colour")
  until=$(($(seconds_now) + $(spec .drainSeconds)))
  while [ -n "$(ss -Htn state established "( dport = :$port )")" ] && [ "$(seconds_now)" -lt "$until" ]; do sleep 0.1; done
  remove_colour blue
  remove_colour green
}

restore_restarts() {
  memory | jq -r '.containers[] | "\(.restart) \(.id)"' | while read -r policy id; do
    docker update --restart="$policy" "$id" >/dev/null
  done
}

exec 9>>"$root/lock"
flock --wait 600 9 || { echo "a release is still running: $(cat "$root/lock")" >&2; exit 10; }
load_state
: "${current_colour:=blue}"
check
start_classic
stage=classic-serves
change_workers
redirect_off
leave_edge
restore_restarts
jq -cn --arg at "$(date -u +%Y-%m-%dT%H:%M:%SZ)" --slurpfile spec "$payload/release.json" \
  '{at: $at, app: $spec[0].app, release: $spec[0].release, result: "back-to-classic", images: {}}' >>"$root/receipts.jsonl"
rm -f "$classic" "$adopted" "$root/state.json"
clear_journal
say "the classic project serves; the next release takes it over again"
