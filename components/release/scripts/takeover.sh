# shellcheck shell=bash
# The first release on the host of a classic project. Until the redirect is on, the classic containers serve and all can
# be taken back; from then on there is only forward. They stay where they are, stopped: they are the way back.

# The containers that run, before the first of them is stopped, with what brings them back.
remember_classic() {
  [ -n "$adopt_project" ] && ! [ -s "$classic" ] || return 0
  if [ -s "$adopted" ]; then
    # A way back that was cut behind its redirect.
    [ -z "$(classic_serves)" ] || mv -f "$adopted" "$classic"
    return 0
  fi
  classic_containers | xargs -r docker inspect | jq -s --arg project "$adopt_project" --argjson release "$release" '
    {project: $project, release: $release, containers: [add // [] | .[] | {
      id: .Id, name: (.Name | ltrimstr("/")), service: .Config.Labels["com.docker.compose.service"],
      restart: (.HostConfig.RestartPolicy | if .Name == "on-failure" and .MaximumRetryCount > 0 then "on-failure:\(.MaximumRetryCount)" else .Name end),
      port: ([.HostConfig.PortBindings // {} | to_entries[] | select(.key | endswith("/tcp"))
        | select(any(.value[]?; .HostPort == "80" and (.HostIp | startswith("127.") | not))) | .key | split("/")[0]] | first)}]}' |
    write_file "$classic"
  install_way_back
}

# remembered FILTER: ids of the containers that were remembered.
remembered() { memory | jq -r ".containers[] | select($1) | .id"; }

memory() { cat "$classic" 2>/dev/null || cat "$adopted" 2>/dev/null || true; }

remembered_services() {
  local service
  while read -r service; do remembered ".service == \"$service\""; done
}

there() {
  local id
  while read -r id; do ! docker inspect "$id" >/dev/null 2>&1 || echo "$id"; done
}

running() {
  local id
  while read -r id; do [ "$(docker inspect --format '{{.State.Running}}' "$id" 2>/dev/null)" != true ] || echo "$id"; done
}

# Its workers and singletons are retired as those of an old release are.
retire_classic() {
  [ -s "$classic" ] || return 0
  spec '.singletons[]' | remembered_services | running | xargs -r docker stop --time "$(spec .drainSeconds)" >/dev/null
  local ids
  ids=$(spec '.workers[]' | remembered_services | running)
  if [ -n "$ids" ]; then
    # shellcheck disable=SC2086 # one word per container
    docker stop --time "$(spec .drainSeconds)" $ids >/dev/null 7>&- 9>&- &
    workers_pid=$!
  fi
}

# In step switch, in front of the new route: the edge cannot have port 80 yet.
make_way() {
  [ -s "$classic" ] && [ -n "$(remembered .port | running)" ] && ! redirect_is_on || return 0
  go_aside
}

# In step switch, behind the new route. Nobody was sent to it yet.
take_over() {
  [ -s "$classic" ] && edge_is_aside && ! redirect_is_on || return 0
  wait_for_certificates
  edge_answers "$aside_port" ||
    fail takeover-failed "the edge does not answer on port $aside_port with release $release" "look at: journalctl -u caddy"
  if redirect_on && edge_answers 80; then return 0; fi
  redirect_off || true
  fail takeover-failed "connections to port 80 cannot be redirected on this host" \
    "read nft's words in the log below; with a gap it works without: docker compose --project-name $adopt_project stop, then pulumi up"
}

# edge_answers PORT: with the number of this release, which nobody else sends.
edge_answers() {
  local until
  until=$(($(seconds_now) + 10))
  until curl --silent --max-time 5 --output /dev/null --dump-header - --header "Host: $(spec .health.host)" "http://127.0.0.1:$1$(spec .health.path)" |
    tr -d '\r' | grep -ix "x-slipway-release: $release" >/dev/null; do
    [ "$(seconds_now)" -lt "$until" ] || return 1
    sleep 0.2
  done
}

# Whoever is sent on to HTTPS has to be answered there. Port 443 proves that the name leads here; port 80 cannot yet.
wait_for_certificates() {
  local domain until
  until=$(($(seconds_now) + 120))
  while read -r domain; do
    until curl --silent --insecure --max-time 5 --output /dev/null --resolve "$domain:443:127.0.0.1" "https://$domain/"; do
      [ "$(seconds_now)" -lt "$until" ] ||
        fail certificate-missing "there is no certificate for $domain after 120 s" \
          "let the name lead to this host and open port 443 (journalctl -u caddy), or take domains out for the first release"
      sleep 1
    done
  done < <(spec '.domains[]')
}

# Not yet: the route is there, and nobody is sent to it.
can_step_back() { [ -s "$classic" ] && edge_is_aside && ! redirect_is_on; }

# From the redirect on a restored route would lead nowhere.
is_taken_over() { [ -s "$classic" ] && redirect_is_on; }

undo_takeover() {
  [ -s "$classic" ] || return 0
  if redirect_is_on; then
    # Another way back that was cut: the release before this one serves over the redirect, and goes on.
    mv -f "$classic" "$adopted"
    return 0
  fi
  if edge_is_aside; then
    rm -f "$aside"
    reload_edge || say "caddy did not reload; look at: journalctl -u caddy"
  fi
  wait_for_workers
  # One that is still finishing counts as running and would be passed over.
  spec '.workers[], .singletons[]' | remembered_services | running | xargs -r docker stop >/dev/null || true
  remembered true | xargs -r docker start >/dev/null || return 1
  rm -f "$classic"
}

# Open connections end by themselves. An nginx that is told to quit finishes what it has begun and closes what is idle,
# whatever stop signal its image names.
drain_classic() {
  [ -s "$classic" ] || return 0
  local id until
  # Connections that were on their way before the redirect are with it by now.
  sleep 1
  until=$(($(seconds_now) + $(spec .drainSeconds)))
  for id in $(remembered .port | running); do
    if [ "$(cat "/proc/$(docker inspect --format '{{.State.Pid}}' "$id")/comm" 2>/dev/null)" = nginx ]; then
      docker update --restart=no "$id" >/dev/null
      docker kill --signal QUIT "$id" >/dev/null || true
    fi
    while [ -n "$(connections_of "$id")" ] && [ "$(seconds_now)" -lt "$until" ]; do sleep 0.1; done
  done
}

# In its own network: those that Docker forwards are no connections of the host.
connections_of() {
  local pid port
  pid=$(docker inspect --format '{{.State.Pid}}' "$1")
  port=$(remembered_port "$1")
  [ "$pid" = 0 ] || nsenter --target "$pid" --net ss -Htn state established "( sport = :$port )" 2>/dev/null || true
}

remembered_port() { memory | jq -r --arg id "$1" '.containers[] | select(.id == $id) | .port'; }

# A reboot must not start them either. Also what somebody has started since: the classic script, by habit.
stop_classic() {
  local ids
  ids=$({ remembered true; [ -z "$adopt_project" ] || classic_containers; } | sort -u | there)
  [ -n "$ids" ] || return 0
  xargs docker update --restart=no <<<"$ids" >/dev/null || return 1
  running <<<"$ids" | xargs -r docker stop --time "$(spec .drainSeconds)" >/dev/null
}

finish_takeover() {
  settle_takeover ||
    fail edge-taken "release $release serves, but the edge cannot have port 80 back yet" \
      "see who has it: ss -ltnp '( sport = :80 )'; stop that and run pulumi up again"
}

# Finishes the takeover from wherever it is; does nothing when there is none.
settle_takeover() {
  [ -s "$classic" ] || [ -s "$adopted" ] || return 0
  stop_classic || return 1
  come_back || return 1
  [ ! -s "$classic" ] || mv -f "$classic" "$adopted"
  install_way_back
}

install_way_back() { install -m 700 "$payload/back-to-classic.sh" "$root/back-to-classic.sh"; }
