# shellcheck shell=bash
# Port 80 changes hands between a container that is published there and the edge, and only one of them can listen. So
# the edge answers on a port of its own for a while, and the kernel redirects new connections to that; the open ones go
# on where they are. All of it is in files, so that a reboot finds it as it was.

aside_port=19080
# No app has such a name.
aside=/etc/caddy/slipway/_aside.options
redirect_unit=/etc/systemd/system/slipway-aside.service
redirect_rules=/etc/slipway/aside.nft
readonly aside_port aside redirect_unit redirect_rules

edge_is_aside() { [ -f "$aside" ]; }

redirect_is_on() { nft list table inet slipway_aside >/dev/null 2>&1; }

# In a table of its own, in front of Docker's rules, which it leaves alone.
redirect_on() {
  mkdir -p "${redirect_rules%/*}"
  write_file "$redirect_rules" 644 <<NFT || return 1
table inet slipway_aside
delete table inet slipway_aside
table inet slipway_aside {
  chain arriving {
    type nat hook prerouting priority -110; policy accept;
    fib daddr type local tcp dport 80 redirect to :$aside_port
  }
  chain local {
    type nat hook output priority -110; policy accept;
    fib daddr type local tcp dport 80 redirect to :$aside_port
  }
}
NFT
  write_file "$redirect_unit" 644 <<UNIT || return 1
[Unit]
Description=Port 80 is redirected to the edge while a container has it
DefaultDependencies=no
After=local-fs.target nftables.service
Before=docker.service caddy.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f $redirect_rules
ExecStop=/usr/sbin/nft delete table inet slipway_aside

[Install]
WantedBy=multi-user.target
UNIT
  systemctl daemon-reload
  systemctl enable --quiet slipway-aside.service && systemctl start slipway-aside.service || return 1
  redirect_is_on || nft -f "$redirect_rules"
}

redirect_off() {
  systemctl disable --quiet --now slipway-aside.service 2>/dev/null || true
  ! redirect_is_on || nft delete table inet slipway_aside || return 1
  rm -f "$redirect_unit" "$redirect_rules"
  systemctl daemon-reload
}

go_aside() { printf 'http_port %s\n' "$aside_port" | write_file "$aside" 644; }

# The site on stdin, answering on both ports by their numbers: right whether the edge is aside or not.
on_both_ports() { on_one_port | sed -E "/^http:.*\\{\$/ s#(http://[^ ,:{]*)#\\1:80, \\1:$aside_port#g"; }

on_one_port() { sed -E "/# aside\$/d; /^http:.*\\{\$/ { s#, http://[^ ,{]*:$aside_port##g; s#:80\\b##g }"; }

# An authority that asks on port 80 meets the container; the edge can only prove itself on 443.
without_http_challenge() {
  local text
  text=$(on_one_port)
  if grep -q '^[[:space:]]*issuer acme {' <<<"$text"; then
    sed -E 's/^(\s*)issuer acme \{$/&\n\1\tdisable_http_challenge # aside/' <<<"$text"
  else
    sed -E 's/^https:.*\{$/&\n\ttls { # aside\n\t\tissuer acme { # aside\n\t\t\tdisable_http_challenge # aside\n\t\t} # aside\n\t} # aside/' <<<"$text"
  fi
}

# With port 80 back and the redirect still there, both have to be answered.
on_its_ports() {
  if edge_is_aside; then
    without_http_challenge
  elif redirect_is_on; then
    on_both_ports
  else
    cat
  fi
}

# resite FILTER: the app's site as it is, on other ports.
resite() {
  [ -f "$site" ] || return 0
  "$1" <"$site" | write_file "$site.new" 644 && mv -f "$site.new" "$site"
}

# Docker lets go of a port a moment after its container has ended.
reload_in_time() {
  local try
  for try in 1 2 3 4 5 6; do
    if reload_edge; then return 0; fi
    say "reload $try of 6 failed"
    sleep 0.5
  done
  return 1
}

edge_has_port_80() { ss -Hltnp '( sport = :80 )' | grep '"caddy"' >/dev/null; }

# The edge takes port 80 back and answers on both for as long as connections are still redirected. The order of the
# files is such that the edge serves with any part of it.
come_back() {
  if edge_is_aside; then
    resite on_both_ports || return 1
    rm -f "$aside"
  fi
  if redirect_is_on; then
    if ! edge_has_port_80 && ! reload_in_time; then
      if go_aside && resite on_one_port; then reload_edge || true; fi
      return 1
    fi
    redirect_off || return 1
    # What was redirected a moment ago is accepted by now.
    sleep 1
  fi
  if [ -f "$site" ] && grep -q ":$aside_port\b" "$site"; then resite on_one_port && reload_edge; fi
}
