# shellcheck shell=bash
# Services that take work by themselves. The old workers take no more before the new release gets traffic, and finish
# what they have during the drain; a singleton of the old release is gone before that of the new one starts.

workers_pid='' previous_colour=''

of_services() {
  local service
  for service in $1; do
    containers "$2" --filter "label=com.docker.compose.service=$service" --filter status=running
  done
}

step_retire() {
  remember_classic
  retire_classic
  previous_colour=$current_colour
  [ -n "$current_colour" ] || return 0
  local ids
  ids=$(of_services "$(spec '.singletons[]')" "$current_colour")
  # shellcheck disable=SC2086 # one word per container
  [ -z "$ids" ] || docker stop --time "$(spec .drainSeconds)" $ids >/dev/null
  ids=$(of_services "$(spec '.workers[]')" "$current_colour")
  if [ -n "$ids" ]; then
    # shellcheck disable=SC2086
    docker stop --time "$(spec .drainSeconds)" $ids >/dev/null 7>&- 9>&- &
    workers_pid=$!
  fi
}

# start_singletons COLOUR DIRECTORY RELEASE
start_singletons() {
  local -a services
  mapfile -t services < <(jq -r '.singletons[]' "$2/release.json")
  [ ${#services[@]} -gt 0 ] || return 0
  in_colour "$1" "$2" "$3" up --detach --no-build --no-deps --pull never "${services[@]}"
}

# A worker that is still finishing counts as running and would be passed over: stopping it again waits for its end.
bring_workers_back() {
  wait_for_workers
  case $(jq -r .step "$root/journal.json" 2>/dev/null) in
    retire | switch) of_services "$(spec '.workers[], .singletons[]')" "$current_colour" | xargs -r docker stop >/dev/null || true ;;
  esac
}

wait_for_workers() {
  [ -z "$workers_pid" ] || wait "$workers_pid" || true
}
