# shellcheck shell=bash
# A page of the old release asks for its hashed files after the switch. They are copied beside the new ones, and never
# over them: before the start, since some apps look only then at what there is, and again behind the gate, for those that
# collect their files when they start. Each release lists its own files, so that what nobody keeps is not carried on for ever.

# The new volume got what the image has at its place when the first container was made.
carry_static_early() {
  local volume here
  while read -r volume; do
    here=$(static_place "$volume")
    all_files "$here" >"$directory/$volume.list"
    : >"$directory/$volume.carried"
    # Whoever fills it later writes over nothing.
    [ ! -s "$directory/$volume.list" ] || carry_into "$volume" "$here"
  done < <(spec '.perReleaseVolumes[]')
}

carry_static_over() {
  local volume here list
  while read -r volume; do
    here=$(static_place "$volume")
    list=$directory/$volume.list
    all_files "$here" | LC_ALL=C comm -z -23 - "$directory/$volume.carried" | LC_ALL=C sort -z -u "$list" - | write_file "$list"
    carry_into "$volume" "$here"
  done < <(spec '.perReleaseVolumes[]')
}

static_place() { docker volume inspect --format '{{.Mountpoint}}' "${app}_$1_${directory##*/}"; }

all_files() { (cd "$1" && find . -type f -print0) | LC_ALL=C sort -z; }

# carry_into VOLUME PLACE: only names that are listed by a kept release and still there; a missing one is no reason to stop.
carry_into() {
  local there from carried=$directory/$1.carried
  from=${app}_$1_${current_dir##*/}
  if [ -z "$current_dir" ]; then
    [ -n "$adopt_project" ] || return 0
    from=${adopt_project}_$1
  fi
  there=$(docker volume inspect --format '{{.Mountpoint}}' "$from" 2>/dev/null) || return 0
  all_files "$there" | LC_ALL=C comm -z -12 - <(kept_static "$1" "$there") |
    LC_ALL=C comm -z -13 "$directory/$1.list" - | write_file "$carried"
  rsync --archive --ignore-existing --from0 --files-from="$carried" "$there/" "$2/"
}

# The classic project has one volume for all its releases, and no list of what is in it.
kept_static() {
  local dir
  if [ -z "$current_dir" ]; then
    all_files "$2"
    return 0
  fi
  for dir in $(kept_directories); do
    [ ! -f "$dir/$1.list" ] || cat "$dir/$1.list"
  done | LC_ALL=C sort -z -u
}
