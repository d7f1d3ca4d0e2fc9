# shellcheck shell=bash
# What stays of earlier releases: their directories and images, so that going back fetches nothing. The rest goes.

# Newest first, by their numbers: the times of files follow the clock. Each directory once.
kept_directories() {
  { echo "$directory"; [ -z "$current_dir" ] || echo "$current_dir"; find "$root/releases" -mindepth 1 -maxdepth 1 -type d | sort -rV; } |
    awk '!seen[$0]++' | head -n "$(jq -r .keepReleases "$payload/options.json")"
}

step_remove() {
  finish_takeover
  if [ -n "$previous_colour" ]; then
    remove_colour "$previous_colour"
  fi
  remove_volumes_but "$directory"
  local dir kept
  kept=$(kept_directories)
  for dir in "$root"/releases/*/; do
    grep -qxF "${dir%/}" <<<"$kept" || rm -rf "${dir%/}"
  done
}

# remove_volumes_but DIRECTORY: of all releases, only the one that lies there keeps the volumes that bear its name.
remove_volumes_but() {
  local dir
  for dir in "$root"/releases/*/; do
    # Where there is no release the pattern is left as it is, and would name every volume.
    if [ -d "$dir" ] && [ "${dir%/}" != "$1" ]; then remove_release_volumes "${dir%/}"; fi
  done
}

# Before a pull, so that the room is there: images that only releases had which are gone.
prune_images() {
  local reference image
  docker image ls --format '{{.Repository}}:{{.Tag}}' --filter "reference=slipway/$app/*" | while read -r reference; do
    [ -d "$root/releases/${reference##*:}" ] || {
      image=$(docker image inspect --format '{{.Id}}' "$reference")
      docker image rm "$reference" >/dev/null || true
      drop_untagged "$image"
    }
  done
}

drop_untagged() {
  [ -z "$(docker image inspect --format '{{range .RepoTags}}{{.}}{{end}}' "$1" 2>/dev/null)" ] || return 0
  docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$1" 2>/dev/null | xargs -r docker image rm >/dev/null 2>&1 || true
}
