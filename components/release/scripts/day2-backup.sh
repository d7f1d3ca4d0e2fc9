# shellcheck shell=bash
# What a release does not bring along: the databases of the compose file, and the volumes that outlive releases. It is
# read while the app goes on.

verb_backup() {
  need_release
  case ${1:-} in
    list) backup_plan ;;
    part) print_part "$2" ;;
    *) refuse "received backup ${1:-}" "this is an older host's script or a newer slipway: run pulumi up" ;;
  esac
}

# What compose makes of the file: a volume's name may come from a variable.
merged() {
  in_colour "$current_colour" "$current_dir" "$current_release" config --format json
  [ ! -f "$root/stateful/stateful.yml" ] || in_stateful config --format json
}

# The parts of a backup, and what is left out of it.
backup_plan() {
  local service id volume directory
  local -a databases=() notes=()
  local taken='' plan
  plan=$(merged | jq -sc '{
    kept: [.[0]["x-slipway"].volumes[]? | select(.perRelease | not) | .name],
    mounts: [.[1] // {} | . as $file | .services // {} | to_entries[] | .key as $service
             | .value.volumes[]? | select(.type == "volume") | {service: $service, name: $file.volumes[.source].name}],
    binds: [.[].services // {} | .[].volumes[]? | select(.type == "bind") | .source]}')
  while read -r service; do
    id=$(containers stateful --filter "label=com.docker.compose.service=$service" --filter status=running | head -n 1)
    if [ -z "$id" ]; then
      notes+=("$service does not run: a database in it is not backed up by itself, its volume is")
    elif is_postgres "$id"; then
      databases+=("$(jq -cn --arg service "$service" --arg name "$(docker exec "$id" sh -c "$postgres_database")" \
        '{file: "\($service).dump", kind: "postgres", service: $service, name: $name}')")
      taken+=$(jq -r --arg service "$service" '.mounts[] | select(.service == $service).name' <<<"$plan")$'\n'
    fi
  done < <(jq -r '[.mounts[].service] | unique[]' <<<"$plan")
  while read -r volume; do
    ! grep -qxF -- "$volume" <<<"$taken" || continue
    directory=$(directory_of "$volume") ||
      { notes+=("the volume $volume is kept by a driver of its own and is not in it"); continue; }
    [ -n "$directory" ] || continue
    databases+=("$(jq -cn --arg name "$volume" --argjson plan "$plan" '{file: "\($name).tar", kind: "volume",
      service: ([$plan.mounts[] | select(.name == $name).service] | first), name: $name}')")
  done < <(jq -r '[.kept[], .mounts[].name] | unique[]' <<<"$plan")
  while read -r directory; do
    notes+=("the directory $directory of the host is not in it")
  done < <(jq -r --arg own "$current_dir/" '[.binds[] | select(startswith($own) | not)] | unique[]' <<<"$plan")
  printf '%s\n' "${databases[@]}" | jq -cn '[inputs] | {parts: .}' | jq -c --args '.notes = $ARGS.positional' "${notes[@]}"
}

# shellcheck disable=SC2016 # the container's shell expands it
readonly postgres_database='echo "${POSTGRES_DB:-${POSTGRES_USER:-postgres}}"'

is_postgres() { docker exec "$1" sh -c 'command -v pg_dump && command -v pg_restore && [ -n "$PGDATA$POSTGRES_USER$POSTGRES_DB" ]' >/dev/null 2>&1; }

# directory_of VOLUME: where its files are; nothing for a volume that is not there yet, an error for one that is elsewhere.
directory_of() {
  local volume
  volume=$(docker volume inspect "$1" 2>/dev/null | jq -c '.[0] // empty')
  [ -n "$volume" ] || return 0
  jq -er 'if .Driver == "local" and (.Options // {} | length == 0) then .Mountpoint
    elif .Driver == "local" and (.Options.o // "" | split(",") | index("bind")) != null then .Options.device
    else null end' <<<"$volume"
}

part_named() {
  local part
  part=$(backup_plan | jq -ce --arg file "$1" '.parts[] | select(.file == $file)') ||
    refuse "a backup of release $current_release has no part $1" "begin the backup again: a release went out meanwhile"
  echo "$part"
}

print_part() {
  local part name service id
  part=$(part_named "$1")
  name=$(jq -r .name <<<"$part")
  service=$(jq -r '.service // empty' <<<"$part")
  id=$([ -z "$service" ] || running_container "$service")
  if [ "$(jq -r .kind <<<"$part")" = postgres ]; then
    # shellcheck disable=SC2016 # the container's shell expands it
    exec docker exec "$id" sh -c 'exec pg_dump --format=custom --username="${POSTGRES_USER:-postgres}" "$1"' sh "$name"
  fi
  [ -z "$id" ] || settle "$id"
  TMPDIR=$root python3 "$here/day2-volume.py" "$(directory_of "$name")"
}

# settle CONTAINER: brings what a service has in memory to its volume, or holds it still for the while.
settle() {
  if docker exec "$1" sh -c 'command -v redis-cli' >/dev/null 2>&1; then
    local answer
    answer=$(docker exec "$1" redis-cli SAVE 2>&1) || true
    [ "$answer" = OK ] || echo "slipway: redis did not save before it was copied: $answer" >&2
    return 0
  fi
  # Should this script be killed, the timer lets it go on.
  local unit=slipway-unpause-$1
  systemd-run --quiet --collect --unit="$unit" --on-active=15m docker unpause "$1"
  # shellcheck disable=SC2064 # as it is now
  trap "docker unpause '$1' >/dev/null; systemctl stop '$unit.timer'" EXIT
  docker pause "$1" >/dev/null
}
