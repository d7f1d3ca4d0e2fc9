# shellcheck shell=bash
# Brings a backup back. Everything is unpacked beside what is there while the app goes on; then the app is stopped, the
# two change places, and it starts again. What was there stays aside until the app answers, and comes back when it does not.

staging=$root/restore
readonly staging

verb_restore() {
  # Each by itself: in a list of commands bash would go on after an error.
  case ${1:-} in
    apply) apply_restore ;;
    undo) undo_restore ;;
    *) receive_backup ;;
  esac
}

receive_backup() {
  need_release
  exec 9>>"$root/lock"
  flock --nonblock 9 || refuse "another run holds the lock: $(head -c 200 "$root/lock")" "wait until it has ended"
  [ ! -d "$staging" ] || put_back
  mkdir -m 700 "$staging"
  if ! tar --extract --no-same-owner --directory="$staging" 2>"$root/restore.words" || ! check_staging; then
    local words
    words=$(tail -n 1 "$root/restore.words")
    rm -rf "$staging" "$root/restore.words"
    refuse "the backup did not arrive whole: $words" "try again; when the disk is full, make room first. Nothing was changed"
  fi
  rm -f "$root/restore.words"
  exec 9>&-
  # A unit of its own: a connection that is cut must not leave the app stopped, and neither must a kill.
  local status=0
  systemd-run --quiet --collect --wait --pipe --unit="slipway-$app-restore" --property=TimeoutStopSec=180 \
    --property="ExecStopPost=-$here/day2.sh restore undo" \
    "$here/day2.sh" restore apply </dev/null || status=$?
  exit "$status"
}

undo_restore() {
  need_release
  exec 9>>"$root/lock"
  flock --nonblock 9 || refuse "another run holds the lock: $(head -c 200 "$root/lock")" "wait until it has ended"
  [ -d "$staging" ] || refuse "no restore was cut" "nothing is to be done"
  put_back
}

check_staging() {
  [ "$(jq -r .app "$staging/manifest.json")" = "$app" ] || { echo "it is of another app" >>"$root/restore.words"; return 1; }
  (cd "$staging" && jq -r '.parts[] | "\(.sha256)  \(.file)"' manifest.json | sha256sum --check --strict --quiet >>"$root/restore.words" 2>&1)
}

parts() { jq -r --arg kind "$1" '.parts[] | select(.kind == $kind) | "\(.file)\t\(.service)\t\(.name)"' "$staging/manifest.json"; }

step_of_restore=''

apply_restore() {
  need_release
  exec 9>>"$root/lock"
  flock --wait 60 9 || refuse "another run holds the lock: $(head -c 200 "$root/lock")" "wait until it has ended"
  printf 'restore, process %s, since %s\n' "$$" "$(now)" >"$root/lock"
  trap 'exit 143' TERM INT HUP
  trap 'end_restore $?' EXIT
  step_of_restore="unpacking beside what is there"
  unpack_volumes
  load_databases
  step_of_restore="changing places"
  local from
  from=$(uptime_now)
  running_of "$current_colour" >"$staging/stopped.app"
  # shellcheck disable=SC2046 # one word per container
  docker stop $(cat "$staging/stopped.app") >/dev/null
  swap_databases
  swap_volumes
  start_stopped data
  step_of_restore="migrating what came back"
  migrate_restored
  step_of_restore="starting the app"
  start_stopped app
  wait_for_app
  forget_aside
  tell_restored "$(since "$from")"
  trap - EXIT
}

running_of() { containers "$1" --filter status=running; }

start_stopped() { [ ! -s "$staging/stopped.$1" ] || xargs docker start <"$staging/stopped.$1" >/dev/null; }

unpack_volumes() {
  local file name directory
  while IFS=$'\t' read -r file _ name; do
    # A host that never had the volume gets one as a release would make it.
    docker volume inspect "$name" >/dev/null 2>&1 || docker volume create --label "slipway.app=$app" "$name" >/dev/null
    directory=$(directory_of "$name")
    rm -rf "$directory/.slipway-restored"
    mkdir -m 700 "$directory/.slipway-restored"
    tar --extract --preserve-permissions --numeric-owner --directory="$directory/.slipway-restored" --file="$staging/$file"
  done < <(parts volume)
}

move_all() { find "$1" -mindepth 1 -maxdepth 1 ! -name '.slipway-*' -exec mv -t "$2" {} +; }

swap_volumes() {
  local name directory
  : >"$staging/stopped.data"
  while IFS=$'\t' read -r _ _ name; do
    directory=$(directory_of "$name")
    docker ps --quiet --filter "volume=$name" --filter "label=com.docker.compose.project=$app-stateful" >>"$staging/stopped.data"
    sort -u "$staging/stopped.data" | xargs -r docker stop >/dev/null
    mkdir -m 700 "$directory/.slipway-leaving"
    move_all "$directory" "$directory/.slipway-leaving"
    # From here on what lies in the directory came from the backup.
    mv "$directory/.slipway-leaving" "$directory/.slipway-before"
    move_all "$directory/.slipway-restored" "$directory"
    rmdir "$directory/.slipway-restored"
  done < <(parts volume)
}

volumes_back() {
  local name directory
  while IFS=$'\t' read -r _ _ name; do
    directory=$(directory_of "$name") || continue
    [ -n "$directory" ] || continue
    rm -rf "$directory/.slipway-restored"
    if [ -d "$directory/.slipway-before" ]; then
      find "$directory" -mindepth 1 -maxdepth 1 ! -name '.slipway-*' -exec rm -rf {} +
      mv "$directory/.slipway-before" "$directory/.slipway-leaving"
    fi
    if [ -d "$directory/.slipway-leaving" ]; then
      move_all "$directory/.slipway-leaving" "$directory"
      rmdir "$directory/.slipway-leaving"
    fi
  done < <(parts volume)
}

# sql CONTAINER: statements on stdin, in a database that nobody restores.
sql() {
  # shellcheck disable=SC2016 # the container's shell expands it
  docker exec --interactive "$1" sh -c 'export PGOPTIONS="-c client_min_messages=warning"; exec psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 \
    --username="${POSTGRES_USER:-postgres}" --dbname=template1'
}

database_exists() { [ "$(sql "$1" <<<"select 1 from pg_database where datname = '$2'")" = 1 ]; }

# Quoted as an identifier.
ident() { printf '"%s"' "${1//\"/\"\"}"; }

# Nobody may be in a database that gets another name.
empty_of_users() { sql "$1" <<<"select pg_terminate_backend(pid) from pg_stat_activity where datname = '${2//\'/\'\'}' and pid <> pg_backend_pid()" >/dev/null; }

load_databases() {
  local file service name id
  while IFS=$'\t' read -r file service name; do
    id=$(running_container "$service")
    [ -n "$id" ] || refuse "no container of the service $service runs" "start it, or ship the release again; nothing was changed"
    sql "$id" <<<'drop database if exists slipway_restored; create database slipway_restored template template0;' >/dev/null
    # shellcheck disable=SC2016
    docker exec --interactive "$id" sh -c 'exec pg_restore --exit-on-error --username="${POSTGRES_USER:-postgres}" --dbname=slipway_restored' <"$staging/$file"
  done < <(parts postgres)
}

swap_databases() {
  local service name id
  while IFS=$'\t' read -r _ service name; do
    id=$(running_container "$service")
    empty_of_users "$id" "$name"
    sql "$id" <<<"begin; alter database $(ident "$name") rename to slipway_before; alter database slipway_restored rename to $(ident "$name"); commit;" >/dev/null
  done < <(parts postgres)
}

databases_back() {
  local service name id
  while IFS=$'\t' read -r _ service name; do
    id=$(running_container "$service")
    [ -n "$id" ] || { echo "no container of $service runs: its database stays as it is" >&2; continue; }
    if database_exists "$id" slipway_before; then
      empty_of_users "$id" "$name"
      sql "$id" <<<"begin; alter database $(ident "$name") rename to slipway_restored; alter database slipway_before rename to $(ident "$name"); commit;" >/dev/null
    fi
    sql "$id" <<<'drop database if exists slipway_restored' >/dev/null
  done < <(parts postgres)
}

# The backup may be older than the release that serves.
migrate_restored() {
  local service
  local -a words
  service=$(spec '.migrate.service // empty')
  [ -n "$service" ] || return 0
  mapfile -t words < <(spec '.migrate.command[]')
  in_colour "$current_colour" "$current_dir" "$current_release" --progress quiet run --rm -T --no-deps "$service" "${words[@]}" </dev/null >&2
}

wait_for_app() {
  local port until status
  port=$(slot_port "$current_colour")
  until=$(($(seconds_now) + $(spec .health.timeoutSeconds)))
  while :; do
    status=$(curl --silent --location --max-redirs 3 --proto-redir =http --connect-to "::127.0.0.1:$port" --output /dev/null \
      --write-out '%{http_code}' --max-time 10 --header "X-Forwarded-Proto: $(spec .scheme)" \
      "http://$(spec .health.host)$(spec .health.path)") || true
    case $status in 2??) return 0 ;; esac
    if [ "$(seconds_now)" -ge "$until" ]; then
      echo "the app answers $status at $(spec .health.path)" >&2
      return 1
    fi
    sleep 0.3
  done
}

forget_aside() {
  local service name directory
  while IFS=$'\t' read -r _ service name; do
    sql "$(running_container "$service")" <<<'drop database if exists slipway_before' >/dev/null
  done < <(parts postgres)
  while IFS=$'\t' read -r _ _ name; do
    directory=$(directory_of "$name")
    rm -rf "$directory/.slipway-before"
  done < <(parts volume)
}

tell_restored() {
  local receipt
  receipt=$(jq -c --arg app "$app" --argjson release "$current_release" --argjson seconds "$1" --arg at "$(now)" '
    {at: $at, app: $app, release: $release, result: "restored", backup: {release, at}, parts: [.parts[].file], secondsAway: $seconds}' \
    "$staging/manifest.json")
  echo "$receipt" >>"$root/receipts.jsonl"
  rm -rf "$staging"
  echo "$receipt"
}

# What was there comes back. Done again it changes nothing, so that a run that was killed can be cleaned up after.
put_back() {
  local ids
  ids=$(cat "$staging"/stopped.* 2>/dev/null || true)
  if [ -n "$ids" ]; then
    running_of "$current_colour" | xargs -r docker stop >/dev/null
    # A volume's own service must not run while its files change.
    [ ! -s "$staging/stopped.data" ] || xargs docker stop <"$staging/stopped.data" >/dev/null
  fi
  [ ! -s "$staging/manifest.json" ] || { volumes_back; start_stopped data; databases_back; }
  start_stopped app
  rm -rf "$staging"
}

end_restore() {
  trap '' TERM INT HUP
  [ "$1" != 0 ] || return 0
  set +e
  put_back
  printf 'slipway: the restore failed while %s; what was there is back\n  cure: %s\n' "$step_of_restore" \
    "mend what the other words say, or take another backup; then run it again" >&2
  exit 125
}
