# shellcheck shell=bash
# Services that take work by themselves. Those of the new release start when it has passed the gate: one that is refused
# runs no task. The old ones take no more before the new release gets traffic, and finish what they have during the
# drain. A singleton of the old release is gone before that of the new one starts.

workers_pid='' previous_colour=''

# Celery asks its broker for one second at a time: a worker that is busy may be handed a last task until then.
readonly retire_seconds=5

# in_role COLOUR ROLE FILTER…: containers of the services with this role, in this release or in the one that serves.
in_role() {
  local from=$1 role=$2 service
  shift 2
  local -a specs=("$payload/release.json")
  [ ! -s "$current_dir/release.json" ] || specs+=("$current_dir/release.json")
  jq -r --arg role "$role" '.[$role][]' "${specs[@]}" | sort -u | while read -r service; do
    containers "$from" --filter "label=com.docker.compose.service=$service" "$@"
  done
}

service_of() { docker inspect --format '{{index .Config.Labels "com.docker.compose.service"}}' "$1"; }

is_running() { [ "$(docker inspect --format '{{.State.Running}}' "$1" 2>/dev/null)" = true ]; }

# The signal is sent when this returns. Docker does not restart what was sent its own stop signal.
ask_to_stop() {
  local id signal
  for id in "$@"; do
    signal=$(docker inspect --format '{{.Config.StopSignal}}' "$id" 2>/dev/null) || continue
    docker kill --signal "${signal:-SIGTERM}" "$id" >/dev/null 2>&1 || true
  done
}

# await_end ID…: until all have ended. Each has drainSeconds or its own stop_grace_period, whichever is longer.
await_end() {
  local id own left began
  began=$(seconds_now)
  for id in "$@"; do
    own=$(docker inspect --format '{{with .Config.StopTimeout}}{{.}}{{end}}' "$id" 2>/dev/null) || continue
    left=$(jq --argjson own "${own:-0}" '[.drainSeconds, $own] | max' "$payload/release.json")
    left=$((began + left - $(seconds_now)))
    timeout "$((left > 1 ? left : 1))" docker wait "$id" >/dev/null 2>&1 && continue
    is_running "$id" || continue
    say "$(service_of "$id") did not end in time and is killed: a task that it had begun is lost, unless it is acknowledged late"
    docker kill "$id" >/dev/null 2>&1 || true
  done
}

# Part of the gate: a worker that crashes must not take over.
start_workers() {
  local -a services
  mapfile -t services < <(spec '.workers[]')
  [ ${#services[@]} -gt 0 ] || return 0
  in_colour "$colour" "$directory" "$release" up --detach --no-build --no-deps --pull never "${services[@]}" ||
    fail start-failed "docker compose could not start the workers of the new release" "read its words in the log below"
  local least most
  least=$(($(seconds_now) + 3))
  most=$(($(seconds_now) + $(spec .health.timeoutSeconds)))
  while [ "$(seconds_now)" -lt "$least" ] || [ -n "$(in_role "$colour" workers --filter health=starting)" ]; do
    refuse_lost_worker
    [ "$(seconds_now)" -lt "$most" ] ||
      fail gate-timeout "a worker of the new release is not healthy after $(spec .health.timeoutSeconds) s" \
        "read the log below; raise health.timeoutSeconds for a worker that starts slowly"
    sleep 0.2
  done
  refuse_lost_worker
}

refuse_lost_worker() {
  local id
  for id in $(in_role "$colour" workers); do
    if ! is_running "$id" || [ "$(docker inspect --format '{{.RestartCount}}' "$id")" != 0 ]; then
      fail start-crash "$(service_of "$id") crashes at start" "read its log below"
    fi
  done
  for id in $(in_role "$colour" workers --filter health=unhealthy); do
    fail gate-refused "$(service_of "$id") of the new release is not healthy" "read its log below, and its healthcheck in the compose file"
  done
}

step_retire() {
  remember_classic
  retire_classic
  previous_colour=$current_colour
  [ -n "$current_colour" ] || return 0
  if cannot_run_twice; then give_way; else hand_over; fi
}

hand_over() {
  local -a singletons workers
  mapfile -t singletons < <(in_role "$current_colour" singletons --filter status=running)
  mapfile -t workers < <(in_role "$current_colour" workers --filter status=running)
  printf '%s\n' "${singletons[@]}" "${workers[@]}" | write_file "$root/retired"
  ask_to_stop "${singletons[@]}" "${workers[@]}"
  if [ ${#workers[@]} -gt 0 ]; then
    await_end "${workers[@]}" 7>&- 9>&- &
    workers_pid=$!
  fi
  await_end "${singletons[@]}"
  local until
  until=$(($(seconds_now) + retire_seconds))
  while [ "$(seconds_now)" -lt "$until" ] && some_run "${workers[@]}"; do sleep 0.1; done
  refuse_lost_worker
}

some_run() {
  local id
  for id in "$@"; do ! is_running "$id" || return 0; done
  return 1
}

# start_singletons COLOUR DIRECTORY RELEASE
start_singletons() {
  local -a services
  mapfile -t services < <(jq -r '.singletons[]' "$2/release.json")
  [ ${#services[@]} -gt 0 ] || return 0
  in_colour "$1" "$2" "$3" up --detach --no-build --no-deps --pull never "${services[@]}"
}

# What was told to stop may still be finishing, and cannot be started before it has ended. Workers may take long.
bring_back() {
  [ -s "$root/retired" ] || return 0
  local -a all workers rest
  mapfile -t all < <(grep . "$root/retired")
  mapfile -t workers < <(in_role "$current_colour" workers)
  mapfile -t rest < <(others "${workers[@]}" -- "${all[@]}")
  [ -n "$workers_pid" ] || ask_to_stop "${workers[@]}"
  start_again "${rest[@]}" || return 1
  let_back || return 1
  wait_for_workers
  start_again "${workers[@]}" || return 1
  rm -f "$root/retired"
}

start_again() {
  ask_to_stop "$@"
  await_end "$@"
  [ $# = 0 ] || docker start "$@" >/dev/null
}

# stop_workers COLOUR: they may finish what they have.
stop_workers() {
  local -a ids
  mapfile -t ids < <(in_role "$1" workers --filter status=running)
  ask_to_stop "${ids[@]}"
  await_end "${ids[@]}"
}

wait_for_workers() {
  [ -z "$workers_pid" ] || wait "$workers_pid" || true
}
