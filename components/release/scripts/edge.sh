# shellcheck shell=bash
# The edge is Caddy under systemd. Each app has one site file; a reload is graceful and keeps the old configuration
# when the new one is wrong.

site=/etc/caddy/slipway/$app.caddy
readonly site

render_site() { sed -e "s/__UPSTREAM_PORT__/$1/g" -e "s/__RELEASE__/$2/g" "$payload/site.caddy"; }

site_serves() { [ -f "$site" ] && grep -q "127\.0\.0\.1:$1\b" "$site"; }

reload_edge() {
  # The caddy user writes the logs: validating as root would leave files that it cannot open.
  runuser -u caddy -- caddy validate --adapter caddyfile --config /etc/caddy/Caddyfile >/dev/null && systemctl reload caddy
}

# put_site PORT RELEASE: under the host's lock, since several apps share the edge. The old file comes back on failure.
put_site() {
  exec 8>/run/lock/slipway-edge.lock
  flock --wait 60 8 || fail edge-busy "another app is changing the edge" "run pulumi up again"
  if [ -f "$payload/acme-ca.pem" ]; then
    write_file "/etc/caddy/slipway/$app-acme-ca.pem" 644 <"$payload/acme-ca.pem"
  fi
  rm -f "$root/site.before"
  [ ! -f "$site" ] || cp "$site" "$root/site.before"
  render_site "$1" "$2" | write_file "$site" 644
  if ! reload_edge; then
    site_restore
    exec 8>&-
    fail edge-refused "caddy refuses the site of $app" "read its words in the log below"
  fi
  exec 8>&-
}

# Only a failing switch leaves site.before behind.
site_restore() {
  [ "$step" = switch ] || return 0
  if [ -f "$root/site.before" ]; then mv -f "$root/site.before" "$site"; else rm -f "$site"; fi
  reload_edge
}

step_switch() {
  put_site "$(slot_port "$colour")" "$release"
  write_state "$release" "$colour" "$config" "$directory"
  rm -f "$root/site.before"
  start_singletons "$colour" "$directory" "$release"
}

# A change of limits or domains alone needs no new containers.
refresh_edge() {
  local port
  colour=$current_colour
  port=$(slot_port "$colour")
  if ! render_site "$port" "$release" | cmp --silent - "$site"; then
    step=switch
    put_site "$port" "$release"
    rm -f "$root/site.before"
  fi
}

# Caddy keeps no idle connection to the app, so the established ones on the old port are the requests in flight.
step_drain() {
  [ -n "$previous_colour" ] || return 0
  local until port
  port=$(slot_port "$previous_colour")
  until=$((SECONDS + $(spec .drainSeconds)))
  while [ -n "$(ss -Htn state established "( dport = :$port )")" ] && [ "$SECONDS" -lt "$until" ]; do sleep 0.1; done
  wait_for_workers
}
