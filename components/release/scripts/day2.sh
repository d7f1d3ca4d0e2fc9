#!/usr/bin/env bash
# The day-2 commands of one app on this host. Installed by slot.sh as root's own, in the app's directory; `slipway`
# knows these verbs and nothing of Docker, so that another kind of target needs a script with the same verbs and no more.
# The types of what is printed are in day2.ts.
#
#   status                                       prints one line of JSON: HostStatus
#   releases                                     prints one line of JSON: a list of KeptReceipt, oldest first
#   run [--service S] [--id ID] [--raw] -- WORD… a management command in a container of its own, beside those that serve
#   interrupt ID SIGNAL                          sends a signal to the command of `run --id ID`
#   exec [--service S] -- WORD…                  a program in the container that serves
#   logs [--service S] [--since T] [--tail N] [--follow | --release N | --edge]
#   rollback                                     reads a RollbackOrder on stdin, prints the receipt of the release
#   backup list                                  prints one line of JSON: BackupPlan
#   backup part FILE                             prints that part
#   restore                                      reads a tar of manifest.json and its parts on stdin, prints a RestoreReceipt
#   restore undo                                 puts back what a restore that was cut has moved aside
#
# run and exec end with the exit status of what they ran. 125 means that the verb itself could not be done; then stderr
# says why, and what to do, as `slipway: …` and `  cure: …`.
set -Eeuo pipefail
export LC_ALL=C.UTF-8
umask 077

here=$(dirname "$(readlink -f "$0")")
app=$(basename "$(dirname "$here")")
docker_config=$here
readonly here app docker_config
# Of the release that serves; lib.sh reads its release.json as it reads that of a payload.
payload=''
for part in lib colour day2-status day2-rollback day2-backup day2-restore; do
  # shellcheck source=/dev/null
  . "$here/$part.sh"
done

# refuse MESSAGE CURE
refuse() {
  printf 'slipway: %s\n  cure: %s\n' "$1" "$2" >&2
  exit 125
}
# For what lib.sh and colour.sh refuse.
fail() { refuse "$2" "$3"; }

need_release() {
  load_state
  [ -d "$current_dir" ] ||
    refuse "no release of $app serves on this host yet" "ship one: slipway release set, then pulumi up"
  payload=$current_dir
}

# option FILTER: of what the release was shipped with.
option() { jq -r "$1" "$current_dir/payload/options.json" 2>/dev/null || true; }

colour_services() { in_colour "$current_colour" "$current_dir" "$current_release" config --services 2>/dev/null; }

# running_container SERVICE: of the release that serves, or of the services with data of their own.
running_container() {
  local project
  for project in "$current_colour" stateful; do
    containers "$project" --filter "label=com.docker.compose.service=$1" --filter status=running
  done | head -n 1
}

# The service that a command runs in when none is named.
default_service() {
  local service
  service=$(option '.ingress // empty')
  # shellcheck disable=SC2016 # jq's variable
  [ "$1" != run ] || service=$(spec --arg otherwise "$service" '.migrate.service // $otherwise')
  [ -n "$service" ] || refuse "it is not known which service to use" "name one with --service: $(colour_services | paste -sd ' ')"
  echo "$service"
}

# The words before the management command: those of the migration up to `manage.py`, whatever stands in front of it.
manage_words() {
  # shellcheck disable=SC2016
  spec '(.migrate.command // []) as $words
    | ($words | map(test("(^|/)(manage[.]py|django-admin)$")) | index(true)) as $at
    | if $at == null then "python", "manage.py" else $words[:$at + 1][] end'
}

verb_run() {
  local service='' id=$$ raw='' status=0 name
  local -a words=() terminal=(-T)
  while [ $# -gt 0 ]; do
    case $1 in
      --service) service=$2 && shift 2 ;;
      --id) id=$2 && shift 2 ;;
      --raw) raw=1 && shift ;;
      --) shift && break ;;
      *) refuse "received $1" "this is an older host's script or a newer slipway: run pulumi up" ;;
    esac
  done
  need_release
  [ -n "$service" ] || service=$(default_service run)
  colour_services | grep -qxF -- "$service" ||
    refuse "release $current_release has no service $service" "name one of: $(colour_services | paste -sd ' ')"
  if [ -z "$raw" ]; then
    mapfile -t words < <(manage_words)
    # Who writes them all the same does not get them twice.
    if [ "${*:1:${#words[@]}}" = "${words[*]}" ]; then words=(); fi
  fi
  [ ! -t 0 ] || terminal=(--env "TERM=${TERM:-xterm}")
  name=$app-run-$id
  # A terminal that is gone takes this script along, and not the container.
  trap 'docker rm --force "$name" >/dev/null 2>&1 || true' EXIT
  trap 'exit 143' HUP TERM
  in_colour "$current_colour" "$current_dir" "$current_release" --progress quiet run --rm --no-deps --quiet-pull \
    --name "$name" --label "slipway.run=$id" "${terminal[@]}" "$service" "${words[@]}" "$@" || status=$?
  exit "$status"
}

verb_interrupt() { docker kill --signal "$2" "$app-run-$1" >/dev/null; }

verb_exec() {
  local service='' id
  local -a terminal=(--interactive)
  if [ "$1" = --service ]; then service=$2 && shift 2; fi
  shift
  need_release
  [ -n "$service" ] || service=$(default_service exec)
  id=$(running_container "$service")
  [ -n "$id" ] || refuse "no container of the service $service runs" "name one of: $(all_running | paste -sd ' ')"
  [ ! -t 0 ] || terminal+=(--tty --env "TERM=${TERM:-xterm}")
  exec docker exec "${terminal[@]}" "$id" "$@"
}

all_running() {
  local project
  for project in "$current_colour" stateful; do
    containers "$project" --filter status=running | xargs -r docker inspect --format '{{index .Config.Labels "com.docker.compose.service"}}'
  done
}

verb_logs() {
  local service='' since='' tail=all follow='' release='' edge=''
  while [ $# -gt 0 ]; do
    case $1 in
      --service) service=$2 && shift 2 ;;
      --since) since=$2 && shift 2 ;;
      --tail) tail=$2 && shift 2 ;;
      --follow) follow=1 && shift ;;
      --release) release=$2 && shift 2 ;;
      --edge) edge=1 && shift ;;
      *) refuse "received $1" "this is an older host's script or a newer slipway: run pulumi up" ;;
    esac
  done
  if [ -n "$release" ]; then
    print_release_log "$release" "$tail"
  elif [ -n "$edge" ]; then
    print_edge_log "$tail" "$follow"
  else
    need_release
    [ -n "$follow" ] || { app_logs "$service" --tail "$tail" ${since:+--since "$since"}; return; }
    until_stdin_ends follow_app "$service" --tail "$tail" ${since:+--since "$since"}
  fi
}

print_release_log() {
  local file
  file=$(find "$root/log" -name "*-r$1.log" | sort | tail -n 1)
  [ -n "$file" ] || refuse "there is no log of a run of release $1" \
    "name one of: $(find "$root/log" -name '*.log' | sed -nE 's/.*-r([0-9]+)\.log$/\1/p' | sort -nu | paste -sd ' ')"
  tail -n "$(lines_of "$2")" "$file"
}

print_edge_log() {
  local file=/var/log/caddy/$app.log
  [ -f "$file" ] || refuse "the edge has no access log of $app yet" "ask again when it has answered a request"
  [ -n "$2" ] || { tail -n "$(lines_of "$1")" "$file"; return; }
  until_stdin_ends tail -n "$(lines_of "$1")" --follow=name "$file"
}

lines_of() { if [ "$1" = all ]; then echo +1; else echo "$1"; fi; }

# Compose erases a line even where there is no terminal.
app_logs() {
  local service=$1
  shift
  if [ -n "$service" ] && ! colour_services | grep -qxF -- "$service"; then
    [ -n "$(containers stateful --filter "label=com.docker.compose.service=$service")" ] ||
      refuse "release $current_release has no service $service" "name one of: $(colour_services | paste -sd ' ')"
    in_stateful logs "$@" "$service"
  else
    in_colour "$current_colour" "$current_dir" "$current_release" logs "$@" ${service:+"$service"}
  fi | sed --unbuffered 's/\x1b\[2K//'
}

# The containers go with their release: then that of the next one is followed.
follow_app() {
  local was service=$1 from
  shift
  while :; do
    was=$current_dir
    app_logs "$service" --follow "$@" || true
    from=$(date -u +%Y-%m-%dT%H:%M:%SZ)
    load_state
    [ "$was" != "$current_dir" ] || return 0
    echo "slipway: release $current_release serves now" >&2
    set -- --since "$from"
  done
}

# What follows a log does not notice that nobody reads it any more before the next line comes. The end of stdin tells.
until_stdin_ends() {
  exec 3<&0
  set -m
  "$@" </dev/null 3<&- &
  local followed=$!
  { cat <&3 >/dev/null; kill -- "-$followed" 2>/dev/null; } &
  local watch=$!
  exec 3<&-
  wait "$followed" || true
  kill -- "-$watch" 2>/dev/null || true
}

verb=${1:-}
[ $# -eq 0 ] || shift
case $verb in
  status | releases | run | interrupt | exec | logs | rollback | backup | restore) "verb_$verb" "$@" ;;
  *) refuse "the host does not know the verb ${verb:-(none)}" "run pulumi up: it brings the host's scripts to this version" ;;
esac
