# shellcheck shell=bash
# An app that cannot run twice: the old release stops before the new one migrates. Meanwhile the edge has a site that knows
# both and is refused each connection, so that requests wait there and go to whoever is let through: to the new release
# when it has passed its gate, to the old one when it is back.

# cannot_run_twice [DIRECTORY]: this release, or the one that lies there.
cannot_run_twice() { [ "$(jq -r .strategy "${1:-$payload}/release.json" 2>/dev/null)" = recreate ]; }

site_waits() { grep -q '127\.0\.0\.2:' "$site" 2>/dev/null; }

hold_table() { printf 'slipway_hold_%s' "${app//-/_}"; }

# hold [COLOUR]: where the edge's connections go while the site waits. Without a colour they are refused, which the edge
# tries again, or get no answer at all: the kernel tries those again.
hold() {
  local table port lead
  table=$(hold_table)
  port=$(slot_port "$current_colour")
  if [ -n "${1:-}" ]; then
    lead="type nat hook output priority -100; ip daddr { 127.0.0.2, 127.0.0.3 } tcp dport $port dnat to 127.0.0.1:$(slot_port "$1")"
  else
    lead="type filter hook output priority 0; ip daddr 127.0.0.3 tcp dport $port tcp flags & (syn | ack) == syn drop"
  fi
  nft -f - <<NFT
table ip $table
delete table ip $table
table ip $table {
  chain edge {
    $lead
  }
}
NFT
}

let_wait() {
  cp -p "$site" "$root/site.old"
  rm -f "$next_mark"
  hold
  put_site "$(slot_port "$current_colour")" "$current_release" handover.caddy
  forget_old_site
}

next_mark=/etc/caddy/slipway/$app.next
readonly next_mark

# let_through COLOUR: by the time that the site is another one nobody waits any more, whom its reload would cut off.
let_through() {
  rm -f "$next_mark"
  [ "$1" = "$current_colour" ] || install -m 644 /dev/null "$next_mark"
  hold "$1"
  sleep 1
}

# What the edge has accepted before its reload may connect just behind it, and the kernel waits twice as long from try to
# try.
let_end() {
  rm -f "$next_mark"
  nft list table ip "$(hold_table)" >/dev/null 2>&1 || return 0
  local until
  sleep 1
  until=$(($(seconds_now) + 35))
  while [ -n "$(ss -Htn state syn-sent dst 127.0.0.3)" ] && [ "$(seconds_now)" -lt "$until" ]; do sleep 0.1; done
  nft delete table ip "$(hold_table)"
}

# The old release answers what it has, then all of it stops; its workers have the time of the drain.
give_way() {
  local -a all workers rest
  mapfile -t all < <(containers "$current_colour" --filter status=running)
  mapfile -t workers < <(in_role "$current_colour" workers --filter status=running)
  mapfile -t rest < <(others "${workers[@]}" -- "${all[@]}")
  printf '%s\n' "${all[@]}" | write_file "$root/retired"
  let_wait
  ask_to_stop "${workers[@]}"
  await_answers "$current_colour"
  [ ${#rest[@]} = 0 ] || docker stop "${rest[@]}" >/dev/null
  await_end "${workers[@]}"
}

# others ID… -- ID…: those of the second list that are not in the first.
others() {
  local -A known=()
  while [ "$1" != -- ]; do
    known[$1]=1
    shift
  done
  shift
  local id
  for id in "$@"; do [ -n "${known[$id]:-}" ] || echo "$id"; done
}

# The old release is started again: until it answers, requests go on waiting.
let_back() {
  [ -f "$root/site.old" ] || return 0
  local until
  until=$(($(seconds_now) + $(spec .health.timeoutSeconds)))
  while [ "$(seconds_now)" -lt "$until" ]; do
    case $(ask_app "$(slot_port "$current_colour")" 2>/dev/null) in 2??) break ;; esac
    sleep 0.2
  done
  if site_waits; then
    let_through "$current_colour"
    mv -f "$root/site.old" "$site"
    reload_edge || return 1
  fi
  let_end
  rm -f "$root/site.old"
}
