# shellcheck shell=bash
# Asks the edge ten times a second while a release goes out; the receipt says what it saw.

probe_pid=''

probe_start() {
  [ -n "$current_colour" ] || [ -n "$(classic_serves)" ] || return 0
  local domain url patience
  local -a where=()
  domain=$(spec '.domains[0] // empty')
  url=http://127.0.0.1$(spec .health.path)
  # A classic deployment has no HTTPS.
  if [ -n "$domain" ] && [ -n "$current_colour" ]; then
    url=https://$domain$(spec .health.path)
    where=(--insecure --resolve "$domain:443:127.0.0.1")
  fi
  # Requests that wait for the new release have not failed.
  patience=5
  ! cannot_run_twice || patience=35
  # The fragment counts the requests and is not sent. Each line gets its time from the shell that reads it, and has to
  # leave curl at once.
  stdbuf --output=L curl --silent --rate 600/m --max-time "$patience" --header "Host: $(spec .health.host)" "${where[@]}" \
    --output /dev/null --write-out '%{http_code}\n' "$url#[1-36000]" 7>&- 9>&- 2>/dev/null |
    while read -r status && read -r up _ </proc/uptime; do printf '%s %s\n' "$up" "$status"; done 7>&- 9>&- >"$payload/probe" &
  probe_pid=$!
}

probe_stop() {
  [ -n "$probe_pid" ] || return 0
  pkill --parent "$$" --exact curl
  wait "$probe_pid"
  probe_pid=''
}

# Failed is what a user would call so: no answer, or one that says the server is at fault.
probe_json() {
  if ! [ -s "$payload/probe" ]; then
    echo null
    return 0
  fi
  LC_ALL=C awk '
    { asked++ }
    $2 ~ /^[1-4]/ { if (last && $1 - last > gap) gap = $1 - last; last = $1; next }
    { failed++ }
    END { printf "{\"requests\":%d,\"failed\":%d,\"longestGapMs\":%d}", asked, failed, gap * 1000 }' "$payload/probe"
}
