# shellcheck shell=bash
# A colour is one compose project: all containers and the network of one release.

# Compose makes no external volume: the classic ones are made here when the app is new, the release's own every time.
ensure_volumes() {
  local volume name
  while read -r volume; do
    name=$(jq -r .name <<<"$volume")
    docker volume inspect "$name" >/dev/null 2>&1 && continue
    jq -r '"--label", "slipway.app=\($app)", (.driver // empty | "--driver", .), (.driverOpts // {} | to_entries[] | "--opt", "\(.key)=\(.value)"), .name' \
      --arg app "$app" <<<"$volume" | xargs -d '\n' docker volume create >/dev/null
  done < <(jq -c '.["x-slipway"].volumes[] | select(.external | not)' "$payload/merged.json")
}

# Databases and brokers of the compose file are a project of their own that releases do not restart, on one permanent
# network for each colour.
in_stateful() {
  env -i PATH="$PATH" HOME=/root DOCKER_CONFIG="$docker_config" SLIPWAY_APP="$app" SLIPWAY_REVISION=none \
    docker compose --ansi never --project-name "$app-stateful" --project-directory "$root/stateful" \
    --file "$root/stateful/compose.yml" --file "$root/stateful/stateful.yml" --env-file "$root/stateful/.env" "$@"
}

# Stateful services of which this release changed the image or the settings: compose has made their containers anew.
restarted=()

stateful_containers() {
  docker ps --all --no-trunc --filter "label=com.docker.compose.project=$app-stateful" --format '{{.Label "com.docker.compose.service"}} {{.ID}}' | sort
}

ensure_stateful() {
  [ -f "$directory/stateful.yml" ] || return 0
  local each before after
  before=$(stateful_containers)
  for each in blue green; do
    docker network inspect "$app-net-$each" >/dev/null 2>&1 ||
      docker network create --label "slipway.app=$app" "$app-net-$each" >/dev/null
  done
  in_stateful up --detach --no-build --pull never --wait ||
    fail stateful-failed "the services with data of their own did not come up" "read their words in the log below"
  after=$(stateful_containers)
  mapfile -t restarted < <(comm -13 <(echo "$before") <(echo "$after") | while read -r each _; do ! grep -q "^$each " <<<"$before" || echo "$each"; done | sort -u)
  [ ${#restarted[@]} = 0 ] || say "restarted, because the release changes their image or settings: ${restarted[*]}"
  await_stateful
}

# Who has no healthcheck is ready when it takes connections: else the migration of the first release comes too early.
await_stateful() {
  local id address port until
  until=$(($(seconds_now) + 60))
  for id in $(docker ps --quiet --filter "label=com.docker.compose.project=$app-stateful" --filter health=none); do
    address=$(docker inspect --format '{{range .NetworkSettings.Networks}}{{println .IPAddress}}{{end}}' "$id" | head -n 1)
    port=$(docker inspect --format '{{range $port, $_ := .Config.ExposedPorts}}{{println $port}}{{end}}' "$id" | sed -n 's,/tcp$,,p' | head -n 1)
    if [ -z "$address" ] || [ -z "$port" ]; then continue; fi
    until timeout 1 bash -c ": </dev/tcp/$address/$port" 2>/dev/null || [ "$(seconds_now)" -ge "$until" ]; do sleep 0.2; done
  done
}

refuse_start() { fail start-failed "docker compose could not start the new release" "read its words in the log below"; }

step_start() {
  remove_colour "$colour"
  local -a services
  mapfile -t services < <(spec '.services - .singletons - .workers | .[]')
  if [ -n "$(spec '.perReleaseVolumes[]')" ]; then
    in_colour "$colour" "$directory" "$release" create --no-build --pull never --quiet-pull "${services[@]}" || refuse_start
    carry_static_early
  fi
  in_colour "$colour" "$directory" "$release" up --detach --no-build --pull never --quiet-pull "${services[@]}" || refuse_start
}

# Containers that ought to run and do not. A job that ended well is not one of them, unless it is to start again.
stopped_of() {
  local id
  for id in $(containers "$1" --filter status=exited --filter status=created --filter status=restarting --filter status=dead); do
    case $(docker inspect --format '{{.State.Status}} {{.State.ExitCode}} {{.HostConfig.RestartPolicy.Name}}' "$id") in
      'exited 0 no' | 'exited 0 on-failure') ;;
      *) echo "$id" ;;
    esac
  done
}

# Up means that every container of the colour runs and that the app answers.
colour_is_up() {
  [ -n "$(containers "$current_colour")" ] && [ -z "$(stopped_of "$current_colour")" ] || return 1
  case $(ask_app "$(slot_port "$current_colour")" 2>/dev/null) in 2??) ;; *) return 1 ;; esac
}

# What a retired worker or a reboot stopped starts again; what runs is left alone.
restart_colour() { stopped_of "$1" | xargs -r docker start >/dev/null; }

# By label, so that it also takes what a killed `compose run` left, and needs no compose file.
remove_colour() {
  local ids
  stop_workers "$1"
  ids=$(containers "$1")
  if [ -n "$ids" ]; then
    # shellcheck disable=SC2086 # one word per container
    docker stop $ids >/dev/null || true
    # shellcheck disable=SC2086
    docker rm --force --volumes $ids >/dev/null || true
  fi
  docker network ls --quiet --filter "label=com.docker.compose.project=$app-$1" | xargs -r docker network rm >/dev/null || true
}

# remove_release_volumes DIRECTORY: those that bear the release's own name, and no other.
remove_release_volumes() {
  docker volume ls --quiet --filter "label=slipway.app=$app" | { grep -E "_${1##*/}\$" || true; } | xargs -r docker volume rm >/dev/null || true
}

keep_logs_of() {
  say "== last lines of the new containers"
  local id lines
  # The worst comes last: the end of the log is what the receipt shows. A traceback may have a second one below it.
  for id in $(containers "$1"); do
    docker inspect --format '{{.RestartCount}}{{.State.ExitCode}} {{.Id}}' "$id"
  done | sort -n | cut -d' ' -f2 | while read -r id; do
    docker inspect --format '-- {{.Name}}: {{.State.Status}}, exit code {{.State.ExitCode}}, restarts {{.RestartCount}}' "$id"
    lines=15
    [ "$(docker inspect --format '{{.RestartCount}}{{.State.ExitCode}}' "$id")" = 00 ] || lines=70
    docker logs --tail "$lines" "$id" 2>&1
  done
}
