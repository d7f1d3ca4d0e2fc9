# shellcheck shell=bash
# The edge is Caddy under systemd. Each app has one site file; a reload is graceful and keeps the old configuration
# when the new one is wrong.

site=/etc/caddy/slipway/$app.caddy
readonly site

# render_site PORT RELEASE [TEMPLATE]
render_site() {
  sed -e "s/__UPSTREAM_PORT__/$1/g" -e "s/__RELEASE__/$2/g" -e "s/__NEXT_RELEASE__/$release/g" "$payload/${3:-site.caddy}" |
    on_its_ports
}

# While an app that cannot run twice is replaced, the site waits: neither colour is served.
site_serves() { [ -f "$site" ] && ! site_waits && grep -q "127\.0\.0\.1:$1\b" "$site"; }

reload_edge() { systemctl reload caddy; }

# The file as it would be, among those of the other apps. As the caddy user, who owns the logs that it opens.
validate_site() {
  local other
  {
    sed '/^import /d' /etc/caddy/Caddyfile
    for other in /etc/caddy/slipway/*.caddy; do
      if [ -f "$other" ] && [ "$other" != "$site" ]; then echo "import $other"; fi
    done
    echo "import $site.new"
  } | write_file "/etc/caddy/slipway/$app.check" 644
  local status=0
  runuser -u caddy -- caddy validate --adapter caddyfile --config "/etc/caddy/slipway/$app.check" >/dev/null || status=1
  rm -f "/etc/caddy/slipway/$app.check"
  return "$status"
}

# put_site PORT RELEASE [TEMPLATE]: under the host's lock, since several apps share the edge. Until forget_old_site the old file
# can come back.
put_site() {
  exec 8>/run/lock/slipway-edge.lock
  flock --wait 60 8 || fail edge-busy "another app is changing the edge" "run pulumi up again"
  if [ -f "$payload/acme-ca.pem" ]; then
    write_file "/etc/caddy/slipway/$app-acme-ca.pem" 644 <"$payload/acme-ca.pem"
  fi
  render_site "$@" | write_file "$site.new" 644
  validate_site || fail edge-refused "caddy refuses the site of $app" "read its words in the log below"
  forget_old_site
  if [ -f "$site" ]; then cp -p "$site" "$root/site.before"; else : >"$root/site.none"; fi
  mv -f "$site.new" "$site"
  reload_edge || fail edge-refused "caddy could not be reloaded with the site of $app" "look at: journalctl -u caddy"
  exec 8>&-
}

forget_old_site() { rm -f "$root/site.before" "$root/site.none"; }

site_can_come_back() { [ -f "$root/site.before" ] || [ -f "$root/site.none" ]; }

site_restore() {
  rm -f "$site.new"
  site_can_come_back || return 0
  if [ -f "$root/site.before" ]; then mv -f "$root/site.before" "$site"; else rm -f "$site" "$root/site.none"; fi
  reload_edge
}

# From forget_old_site on there is only forward.
step_switch() {
  if site_waits; then let_through "$colour"; fi
  make_way
  put_site "$(slot_port "$colour")" "$release"
  take_over
  forget_old_site
  write_state "$release" "$colour" "$config" "$directory"
  start_singletons "$colour" "$directory" "$release" ||
    fail singleton-failed "release $release serves, but a singleton of it could not be started" "read its log below; the same release again starts it"
}

# A change of limits or domains alone needs no new containers.
refresh_edge() {
  local port
  colour=$current_colour
  port=$(slot_port "$colour")
  finish_takeover
  # A file that can still come back was put there by a run that was cut, perhaps before its reload.
  if site_can_come_back || ! render_site "$port" "$release" | cmp --silent - "$site"; then
    step=switch
    put_site "$port" "$release"
    forget_old_site
  fi
}

# Caddy keeps no idle connection to the app, so the established ones on the old port are the requests in flight.
step_drain() {
  drain_classic
  [ -n "$previous_colour" ] || return 0
  await_answers "$previous_colour"
  let_end
  wait_for_workers
}

await_answers() {
  local until port
  port=$(slot_port "$1")
  until=$(($(seconds_now) + $(spec .drainSeconds)))
  while [ -n "$(ss -Htn state established "( dport = :$port )")" ] && [ "$(seconds_now)" -lt "$until" ]; do sleep 0.1; done
}
