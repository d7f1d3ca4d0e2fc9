# shellcheck shell=bash
# A page of the old release asks for its hashed files after the switch. They are copied beside the new ones, and never
# over them. Each release lists its own files, so that what nobody keeps is not carried on for ever.

carry_static_over() {
  local volume here there list
  while read -r volume; do
    here=$(docker volume inspect --format '{{.Mountpoint}}' "${app}_${volume}_${directory##*/}")
    list=$directory/$volume.list
    (cd "$here" && find . -type f -print0) >"$list"
    [ -n "$current_dir" ] || { carry_classic_over "$volume" "$here"; continue; }
    there=$(docker volume inspect --format '{{.Mountpoint}}' "${app}_${volume}_${current_dir##*/}" 2>/dev/null) || continue
    # Only names that are listed by a kept release and still there; a missing one is no reason to stop.
    (cd "$there" && kept_static "$volume" | while IFS= read -r -d '' file; do
      [ ! -f "$file" ] || printf '%s\0' "$file"
    done | rsync --archive --ignore-existing --from0 --files-from=- ./ "$here/")
  done < <(spec '.perReleaseVolumes[]')
}

# The classic project has one volume for all its releases, and no list of what is in it.
carry_classic_over() {
  local there
  [ -n "$adopt_project" ] || return 0
  there=$(docker volume inspect --format '{{.Mountpoint}}' "${adopt_project}_$1" 2>/dev/null) || return 0
  rsync --archive --ignore-existing "$there/" "$2/"
}

kept_static() {
  local dir
  for dir in $(kept_directories); do
    [ ! -f "$dir/$1.list" ] || cat "$dir/$1.list"
  done | sort --zero-terminated --unique
}
