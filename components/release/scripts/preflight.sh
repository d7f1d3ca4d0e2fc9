# shellcheck shell=bash
# The lock, the release's own directory, and what can be refused before anything is touched.

# Released by the kernel when this process ends, however it ends.
take_lock() {
  [ -s "$root/slot.json" ] || fail no-slot "this host has no slot for the app $app" "give the ComposeRelease the AppSlot of the same host"
  exec 9>>"$root/lock"
  if ! flock --wait "$(jq -r .lockTimeoutSeconds "$payload/options.json")" 9; then
    fail busy "another run holds the lock: $(cat "$root/lock")" "wait until it has ended, then run pulumi up again"
  fi
  [ ! -d "$root/restore" ] ||
    fail restore-cut "a restore of $app was cut, or is under way: what it left has to be put back first" \
      "run slipway restore again, or on the host, as root: /var/lib/slipway/$app/bin/day2.sh restore undo"
  printf 'release %s from %s, process %s, since %s\n' "$release" "${SLIPWAY_FROM:-this host}" "$$" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >"$root/lock"
}

# One release at a time on a host with several apps: two at once would each count on the memory and the disk that both
# need, and one may drop an image that the other is about to start. For as long as the runs ahead end in turn, it waits on.
take_turn() {
  local ahead='' seconds
  seconds=$(jq -r .lockTimeoutSeconds "$payload/options.json")
  exec 7>>/run/lock/slipway-host.lock
  until flock --wait "$seconds" 7; do
    [ "$ahead" != "$(cat /run/lock/slipway-host.lock)" ] ||
      fail busy "another app's run holds the host: $ahead" "wait until it has ended, then run pulumi up again"
    ahead=$(cat /run/lock/slipway-host.lock)
  done
  printf '%s, %s\n' "$app" "$(cat "$root/lock")" >/run/lock/slipway-host.lock
}

name_release() {
  config=$(cd "$payload" && find app release.json -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-64)
  directory=$root/releases/r$release-${config:0:8}
  colour=$(other_colour "${current_colour:-green}")
}

# Everything the release consists of, in a directory that no later release writes to.
lay_out_release() {
  [ "$current_dir" != "$directory" ] || return 0
  rm -rf "$directory"
  cp -r "$payload/app" "$directory"
  chmod 700 "$directory"
  cp "$payload/release.json" "$directory/release.json"
  keep_payload
  # Only these are read by users inside the containers, whoever they are.
  if [ -d "$directory/files" ]; then
    chmod -R a+rX "$directory/files"
  fi
}

# What a rollback on the host itself is made of: all but the login of the registry.
keep_payload() {
  rm -rf "$directory/payload"
  mkdir "$directory/payload"
  cp -r "$payload/app" "$directory/payload/app"
  find "$payload" -maxdepth 1 -type f ! -name registry.json ! -name receipt.json -exec cp -t "$directory/payload" {} +
}

step_preflight() {
  lay_out_release
  docker info --format '{{.ServerVersion}}' >/dev/null 2>&1 ||
    fail docker-down "Docker does not answer on this host" "look at: systemctl status docker"
  systemctl is-active --quiet caddy ||
    fail edge-down "the edge (caddy) is not running" "look at: journalctl -u caddy"
  refuse_taken_port
  check_adoption
  free_disk
  free_memory
  in_colour "$colour" "$directory" "$release" config --format json >"$payload/merged.json" ||
    fail compose-invalid "docker compose refuses the compose file" "read its words in the log below"
  check_merged
}

# What is left of this colour itself goes before the start.
refuse_taken_port() {
  local port by
  [ -z "$(containers "$colour")" ] || return 0
  port=$(slot_port "$colour")
  by=$(ss -Hltnp "( sport = :$port )")
  [ -z "$by" ] ||
    fail port-taken "port $port of this host, where release $release would listen, is taken by $(grep -oP 'users:\(\("\K[^"]+' <<<"$by" | head -n 1 || echo another program)" \
      "let that program listen elsewhere: ss -ltnp 'sport = :$port' shows it"
}

free_disk() {
  local least free
  least=$(jq -r .minFreeMib "$payload/options.json")
  free=$(free_mib)
  if [ "$free" -lt "$least" ]; then
    prune_images
    docker image prune --force >/dev/null
    free=$(free_mib)
  fi
  [ "$free" -ge "$least" ] ||
    fail disk-full "$free MiB are free for Docker, at least $least MiB are needed" "make room (docker system df), or take a larger size"
}

free_mib() { df --output=avail -BM "$(docker info --format '{{.DockerRootDir}}')" | tail -n 1 | tr -dc 0-9; }

# For a while two releases run: the new one needs about what the old one has now. Half of the swap counts, because idle
# pages may go there and busy ones must not.
free_memory() {
  ! cannot_run_twice || return 0
  local old need available
  old=$(memory_of "${current_colour:-none}" || true)
  need=$(($(jq -r .minFreeMemoryMib "$payload/options.json") + (old > 128 ? old : 128)))
  available=$(awk '$1 == "MemAvailable:" { free += $2 } $1 == "SwapFree:" { free += $2 / 2 } END { printf "%d", free / 1024 }' /proc/meminfo)
  say "$available MiB of memory are there, $need MiB are needed; the running release has $old MiB"
  [ "$available" -ge "$need" ] ||
    fail memory-low "$available MiB of memory are there for a second release beside the first, about $need MiB are needed" \
      "take a larger slipway:host.size or more slipway:host.swapMib, stop what else runs on the host, or lower slipway:minFreeMemoryMib"
}

# memory_of COLOUR: MiB that its containers hold and that the kernel cannot take back.
memory_of() {
  local id pid
  for id in $(containers "$1" --filter status=running); do
    pid=$(docker inspect --format '{{.State.Pid}}' "$id")
    # The first form is that of cgroup v1.
    awk -F: '$2 ~ /(^|,)memory(,|$)/ { old = $3 } $1 == 0 { new = $3 }
      END { print "/sys/fs/cgroup" (old == "" ? new : "/memory" old) "/memory.stat" }' "/proc/$pid/cgroup"
  done | { xargs -r cat 2>/dev/null || true; } |
    awk '$1 == "anon" || $1 == "shmem" || $1 == "total_rss" || $1 == "total_shmem" { held += $2 } END { printf "%d", held / 1048576 }'
}

# The compose file may say through interpolation what its text did not show.
check_merged() {
  local wrong
  wrong=$(jq -r --arg app "$app" '
    .services | to_entries[]
    | (select(.value.network_mode == "host") | "\(.key): network_mode host"),
      (select(.value.container_name != null) | "\(.key): container_name \(.value.container_name)"),
      (.key as $k | .value.ports[]? | select(.host_ip != "127.0.0.1") | "\($k): published port \(.published)")
    ' "$payload/merged.json")
  [ -z "$wrong" ] || fail compose-unsafe "two releases cannot run side by side: $wrong" "take it out of the compose file"
  if [ "$(jq -r .requireDigests "$payload/options.json")" = true ]; then
    wrong=$(jq -r '.services | to_entries[] | select(.value.image | test("@sha256:[0-9a-f]{64}$") | not) | "\(.key): \(.value.image)"' "$payload/merged.json")
    [ -z "$wrong" ] || fail no-digest "not pinned by digest: $wrong" "name the image in releases/<stack>.yaml as repository@sha256:…"
  fi
}
