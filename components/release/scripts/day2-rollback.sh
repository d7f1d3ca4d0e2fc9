# shellcheck shell=bash
# Ships a release from what is on this host, for the day on which nothing else can: the payload of the release that
# serves, with another number and other images. The release file gets the same, so that the next `pulumi up` sends what
# is already here, byte for byte, and finds it unchanged.

verb_rollback() {
  local order number next
  order=$(cat)
  number=$(jq -r .release <<<"$order")
  need_release
  [ -s "$current_dir/payload/release.sh" ] ||
    refuse "what release $current_release was shipped with is not kept on this host" "ship with pulumi up instead; later releases keep it"
  [ "$number" -gt "$current_release" ] ||
    refuse "release $current_release serves already, and $number is not later" "run slipway status, and go back from what it says"
  refuse_other_names "$order"
  refuse_missing_images "$order"
  next=$(mktemp -d /run/slipway.XXXXXXXXXX)
  cp -r "$current_dir/payload/." "$next/"
  jq -cj --argjson order "$order" '.release = $order.release | .images |= with_entries(.value = $order.images[.key])' \
    "$current_dir/payload/release.json" >"$next/release.json"
  put_images "$order" "$next/app/.env"
  exec sh "$next/start.sh" "$next"
}

refuse_other_names() {
  jq -e --slurpfile current "$current_dir/payload/release.json" \
    '(.images | keys) == ($current[0].images | keys)' >/dev/null <<<"$1" ||
    refuse "that release has images of other names: $(jq -r '.images | keys | join(", ")' <<<"$1")" \
      "ship it with pulumi up, together with the app's description of then"
}

refuse_missing_images() {
  local image
  while read -r image; do
    docker image inspect "$image" >/dev/null 2>&1 ||
      refuse "$image is no longer on this host" "go back with pulumi up, which fetches it; slipway releases says which releases are here"
  done < <(jq -r '.images[]' <<<"$1")
}

# put_images ORDER FILE: the lines that name an image, and those alone.
put_images() {
  local variable image
  while read -r variable image; do
    if [ "$variable" = IMAGE ]; then image=$(sed -E 's/@.*$//; s/:[^:/]*$//' <<<"$image"); fi
    sed -i "s|^$variable=\".*\"\$|$variable=\"$image\"|" "$2"
  done < <(jq -r --argjson order "$1" '.imageVariables | to_entries[] | "\(.key) \($order.images[.value])"' "$current_dir/payload/options.json")
}
