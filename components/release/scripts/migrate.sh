# shellcheck shell=bash
# The backup in the release that serves, then the migration, once, in the new image and before any traffic.

step_backup() {
  local service
  local -a words
  service=$(spec '.backup.service // empty')
  if [ -z "$service" ] || [ -z "$current_colour" ]; then return 0; fi
  mapfile -t words < <(spec '.backup.command[]')
  run_backup "$service" "${words[@]}" </dev/null ||
    fail backup-failed "the backup command failed" "read its words in the log below; nothing was migrated"
}

# In the service where it runs; one behind a profile, which is there for commands only, runs for this one.
run_backup() {
  local service=$1
  if [ -n "$(docker ps --quiet --filter "label=com.docker.compose.project=$app-stateful" --filter "label=com.docker.compose.service=$service")" ]; then
    in_stateful exec -T "$@"
  elif [ -n "$(containers "$current_colour" --filter "label=com.docker.compose.service=$service" --filter status=running)" ]; then
    in_colour "$current_colour" "$current_dir" "$current_release" exec -T "$@"
  else
    in_colour "$current_colour" "$current_dir" "$current_release" run --rm -T --no-deps "$@"
  fi
}

step_migrate() {
  ensure_volumes
  ensure_stateful
  local service
  local -a words
  service=$(spec '.migrate.service // empty')
  [ -n "$service" ] || return 0
  mapfile -t words < <(spec '.migrate.command[]')
  in_colour "$colour" "$directory" "$release" run --rm -T --no-deps "$service" "${words[@]}" </dev/null >"$payload/migrate.log" 2>&1 || {
    cat "$payload/migrate.log"
    fail migrate-failed "the migration failed" "mend the migration and ship again; see what was applied with: manage.py showmigrations"
  }
  cat "$payload/migrate.log"
  sed -nE 's/^ +Applying ([^ ]+)\.\.\..*OK.*$/\1/p' "$payload/migrate.log" | jq -Rn '[inputs]' >"$directory/migrations.json"
}

# Migrations are never reversed: those of releases after the one whose images come back stay, and the receipt says so.
migrations_json() {
  local applied='[]'
  [ -s "$directory/migrations.json" ] && applied=$(cat "$directory/migrations.json")
  if [ "$finished" = unchanged ]; then applied='[]'; fi
  jq -sc --argjson applied "$applied" --slurpfile spec "$payload/release.json" '
    map(select(.result == "released")) as $past
    | ($past | map(.images == $spec[0].images) | rindex(true)) as $same
    | {applied: $applied,
       kept: (if $same == null then [] else [$past[($same + 1):][].migrations.applied[]?] end)}' \
    <(jq -cR 'fromjson? // empty' "$root/receipts.jsonl" 2>/dev/null)
}
