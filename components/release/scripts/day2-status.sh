# shellcheck shell=bash
# What runs, and what was shipped, as JSON. Nothing here changes anything or waits for a release.

verb_status() {
  load_state
  payload=$current_dir
  local services='[]' runs='[]' edge=null certificates='[]'
  if [ -n "$current_release" ]; then
    services=$({ services_json release "$current_colour"; services_json stateful stateful; } | jq -sc add)
    edge=$(edge_json)
    certificates=$(certificates_json)
  fi
  runs=$(docker ps --filter "label=com.docker.compose.project" --filter "label=slipway.run" --format '{{.Names}}' |
    { grep "^$app-run-" || true; } | jq -cRn '[inputs]')
  jq -cn --arg app "$app" --arg at "$(now)" --arg release "$current_release" --arg since "$(since_of_release)" \
    --arg colour "$current_colour" --argjson services "$services" --argjson edge "$edge" \
    --argjson certificates "$certificates" --argjson disks "$(disks_json)" --argjson runs "$runs" \
    --argjson interrupted "$(interrupted_json)" --arg lock "$(lock_holder)" \
    --arg restoring "$([ ! -d "$root/restore" ] || echo yes)" '
    def text: if . == "" then null else . end;
    {app: $app, target: "compose", at: $at, release: ($release | text | if . == null then . else tonumber end),
     since: ($since | text), colour: ($colour | text), services: $services, runs: $runs, edge: $edge,
     certificates: $certificates, disks: $disks, interrupted: $interrupted, lock: ($lock | text),
     restoring: ($restoring != "")}'
}

now() { date -u +%Y-%m-%dT%H:%M:%SZ; }

receipts() { jq -cR 'fromjson? // empty' "$root/receipts.jsonl" 2>/dev/null || true; }

since_of_release() {
  [ -n "$current_release" ] || return 0
  receipts | jq -rs --argjson release "$current_release" --arg otherwise "$(date -u -r "$root/state.json" +%Y-%m-%dT%H:%M:%SZ)" \
    'map(select(.result == "released" and .release == $release)) | last.at // $otherwise'
}

# services_json ROLE PROJECT
services_json() {
  # shellcheck disable=SC2046 # one word per container
  { docker inspect $(containers "$2") 2>/dev/null || echo '[]'; } | jq -c --arg role "$1" '
    [.[] | {service: .Config.Labels["com.docker.compose.service"], role: $role, image: .Config.Image, imageId: .Image,
            state: .State.Status, exitCode: .State.ExitCode, health: (.State.Health.Status // null),
            restarts: .RestartCount, startedAt: .State.StartedAt, restartPolicy: .HostConfig.RestartPolicy.Name}]
    | sort_by(.service)'
}

# One request through the edge, as a user would send it.
edge_json() {
  local domain url answer
  local -a where=()
  domain=$(spec '.domains[0] // empty')
  url=http://127.0.0.1$(spec .health.path)
  if [ -n "$domain" ]; then
    url=https://$domain$(spec .health.path)
    where=(--insecure --resolve "$domain:443:127.0.0.1")
  fi
  answer=$(curl --silent --max-time 10 --header "Host: $(spec .health.host)" "${where[@]}" --output /dev/null \
    --write-out '%{http_code} %{time_total}' "$url") || true
  jq -cn --arg url "$url" --arg answer "$answer" '($answer | split(" ")) as [$status, $seconds]
    | {url: $url, status: ($status | tonumber), seconds: ($seconds | tonumber)}'
}

certificates_json() {
  local domain text end
  while read -r domain; do
    text=$(timeout 5 openssl s_client -connect 127.0.0.1:443 -servername "$domain" </dev/null 2>/dev/null |
      openssl x509 -noout -enddate -issuer -nameopt RFC2253 2>/dev/null) || text=''
    end=$(sed -n 's/^notAfter=//p' <<<"$text")
    [ -z "$end" ] || end=$(date -u -d "$end" +%Y-%m-%dT%H:%M:%SZ)
    jq -cn --arg domain "$domain" --arg notAfter "$end" --arg issuer "$(sed -n 's/^issuer=//p' <<<"$text")" \
      '{domain: $domain, notAfter: (if $notAfter == "" then null else $notAfter end), issuer: $issuer}'
  done < <(spec '.domains[]') | jq -sc .
}

# The file systems that images, volumes and receipts are on, each once.
disks_json() {
  local -a paths=("$root")
  mapfile -t -O 1 paths < <(docker info --format '{{.DockerRootDir}}'
    docker volume ls --quiet --filter "label=slipway.app=$app" | xargs -r docker volume inspect --format '{{.Mountpoint}}')
  df --output=target,size,avail -BM -- "${paths[@]}" 2>/dev/null | tail -n +2 | sort -u |
    jq -cRn '[inputs | [splits(" +")] | {mount: .[0], sizeMib: (.[1] | rtrimstr("M") | tonumber), freeMib: (.[2] | rtrimstr("M") | tonumber)}]'
}

interrupted_json() {
  # While a run holds the lock, its journal is its own business.
  if [ -s "$root/journal.json" ] && [ -z "$(lock_holder)" ]; then
    jq -c '{release, step}' "$root/journal.json"
  else
    echo null
  fi
}

lock_holder() {
  [ -e "$root/lock" ] || return 0
  flock --nonblock "$root/lock" true || head -c 200 "$root/lock"
}

# What has all of its images here can be gone back to without the registry.
verb_releases() {
  local image
  while read -r image; do
    ! docker image inspect "$image" >/dev/null 2>&1 || echo "$image"
  done < <(receipts | jq -r '.images // {} | .[]' | sort -u) | jq -cRn '[inputs]' >"$root/.local.$$"
  receipts | jq -sc --slurpfile local "$root/.local.$$" '
    map(. + {local: ([.images // {} | .[]] | length > 0 and all(. as $image | $local[0] | index($image) != null))})'
  rm -f "$root/.local.$$"
}
