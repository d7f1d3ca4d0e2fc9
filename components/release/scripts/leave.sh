#!/usr/bin/env bash
# What a machine does before another one takes its place. It stays installed, so that leaving needs no payload.
# usage: leave.sh door | leave.sh volume | leave.sh open
#
# A closed door is one that nobody comes in by and everybody inside may leave by: a new connection gets no answer, is
# tried again by the client's kernel after 1, 3 and 7 seconds, and is answered by the next machine when the address has
# moved. Should the next machine never come, the door opens by itself.
set -Eeuo pipefail
trap '' HUP PIPE
state=/run/slipway-leave
open_after_seconds=300
drain_seconds=15
mount=/mnt/slipway-data
certificates=/var/lib/caddy/.local/share/caddy

is_closed() { nft list table inet slipway_door >/dev/null 2>&1; }

close_door() {
  mkdir -p "$state"
  is_closed || nft -f - <<'NFT'
table inet slipway_door {
  chain newcomers {
    type filter hook input priority filter - 10; policy accept;
    iif != "lo" tcp dport { 80, 443 } tcp flags & (syn | ack) == syn drop
  }
}
NFT
  systemctl stop slipway-door.timer 2>/dev/null || true
  systemd-run --quiet --collect --unit=slipway-door --on-active="$open_after_seconds" /usr/local/lib/slipway/leave.sh open
  # Without a site the edge ends what it has begun and closes what is idle. It does not wait for that.
  printf '{\n\tadmin unix//var/lib/caddy/admin.sock\n}\n' >"$state/Caddyfile"
  caddy reload --force --adapter caddyfile --config "$state/Caddyfile" --address unix//var/lib/caddy/admin.sock
  local until=$((SECONDS + drain_seconds))
  while [ -n "$(ss -Htn state established '( sport = :80 or sport = :443 )')" ]; do
    if [ "$SECONDS" -ge "$until" ]; then
      echo "slipway: not every request had ended after $drain_seconds s" >&2
      break
    fi
    sleep 0.1
  done
}

# A disk that is taken away under a running app loses what it had not written yet.
let_go() {
  close_door
  docker ps --quiet >"$state/stopped"
  xargs -r docker stop --time 30 <"$state/stopped" >/dev/null
  systemctl stop docker.socket docker
  local each
  for each in "$certificates" /var/lib/docker/volumes "$mount"; do
    mountpoint -q "$each" || continue
    umount "$each" || umount --lazy "$each"
  done
  sync
}

bring_back() {
  mount "$mount" && mount /var/lib/docker/volumes && mount "$certificates" && systemctl start docker || return 0
  xargs -r docker start <"$state/stopped" >/dev/null
  rm -f "$state/stopped"
}

open_door() {
  [ ! -e "$state/stopped" ] || bring_back
  is_closed || return 0
  systemctl reload caddy
  nft delete table inet slipway_door
  systemctl stop slipway-door.timer 2>/dev/null || true
}

case ${1:-} in
  # Only an address that moves leads those who wait to the next machine.
  door) [ "$(cat /etc/slipway/address-moves 2>/dev/null)" != true ] || close_door ;;
  volume) let_go ;;
  open) open_door ;;
  *)
    echo "usage: leave.sh door | volume | open" >&2
    exit 1
    ;;
esac
