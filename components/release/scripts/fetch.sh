# shellcheck shell=bash
# Gets the images by digest. Nothing is asked of the registry when they are all here, as after a rollback.

step_fetch() {
  prune_images
  if [ -f "$directory/stateful.yml" ]; then
    mkdir -p "$root/stateful"
    cp "$directory"/{compose.yml,stateful.yml,.env} "$root/stateful/"
  fi
  local image
  local -a missing=() stateful_images=()
  [ ! -f "$directory/stateful.yml" ] || mapfile -t stateful_images < <(in_stateful config --images)
  while read -r image; do
    # A tag may have moved: only a digest is known to be the same. A database is left on the image it has.
    if { [[ $image == *@sha256:* ]] || is_stateful_image "$image"; } && docker image inspect "$image" >/dev/null 2>&1; then continue; fi
    missing+=("$image")
  done < <(images_of_release)
  if [ ${#missing[@]} -gt 0 ]; then
    log_in
    for image in "${missing[@]}"; do pull "$image"; done
    rm -f "$docker_config/config.json"
  fi
  tag_images
}

images_of_release() {
  jq -r '[.services[].image] | unique[]' "$payload/merged.json"
  [ ${#stateful_images[@]} = 0 ] || printf '%s\n' "${stateful_images[@]}"
}

is_stateful_image() { printf '%s\n' "${stateful_images[@]}" | grep -qxF "$1"; }

# The password goes from a file to stdin, into a Docker configuration that lives in the payload's directory.
log_in() {
  [ -s "$payload/registry.json" ] || return 0
  local server answer
  server=$(jq -r .server "$payload/registry.json")
  if ! answer=$(jq -j .password "$payload/registry.json" |
    DOCKER_CONFIG=$docker_config docker login --username "$(jq -r .username "$payload/registry.json")" --password-stdin "$server" 2>&1); then
    echo "$answer"
    refuse_certificate "$server" "$answer"
    case $answer in
      *unauthorized* | *denied* | *"401"*) fail registry-refused "the registry $server refuses the user or its password" \
        "set slipway:registry.username and slipway:registry.password to a token that may read the registry" ;;
      *) fail registry-away "the registry $server does not answer" "try again when it is back; what serves now goes on" ;;
    esac
  fi
}

# A wrong clock shows here first: no certificate is valid yet, or any more.
refuse_certificate() {
  [[ $2 == *x509:* ]] || return 0
  fail registry-certificate "this host takes the certificate of the registry $1 for invalid; its clock says $(date -u +%Y-%m-%dT%H:%MZ)" \
    "if that is not the time: timedatectl; otherwise look at the registry's certificate"
}

pull() {
  local answer try
  for try in 1 2 3; do
    if answer=$(DOCKER_CONFIG=$docker_config docker pull --quiet "$1" 2>&1); then return 0; fi
    echo "$answer"
    if [[ $1 != *@sha256:* ]] && docker image inspect "$1" >/dev/null 2>&1; then
      say "going on with the $1 that is here"
      return 0
    fi
    refuse_certificate "${1%%/*}" "$answer"
    case $answer in
      *"not found"* | *"manifest unknown"*) fail image-missing "the registry has no $1" "push the image, or name a digest that exists" ;;
      *unauthorized* | *denied* | *"no basic auth"*) fail registry-refused "the registry refuses to hand out $1" \
        "set slipway:registry to a token that may read this repository" ;;
      *"no space left"*) fail disk-full "the disk is full" "make room (docker system df), or take a larger size" ;;
    esac
    say "try $try of 3 failed"
    sleep $((try * 2))
  done
  fail registry-away "$1 could not be fetched in 3 tries" "try again when the registry is back; what serves now goes on"
}

# An image that is known by its digest alone is dangling to Docker: a tag keeps it for a rollback when somebody prunes.
tag_images() {
  local name image
  while read -r name image; do
    docker tag "$image" "slipway/$app/$name:${directory##*/}"
  done < <(spec '.images | to_entries[] | "\(.key) \(.value)"')
}
