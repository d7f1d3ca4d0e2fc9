#!/bin/sh
# Runs the payload's entry script as a transient systemd unit, so that a cut SSH connection cannot stop it halfway.
# The unit, not this shell, removes the payload: it may outlive the connection. The second argument is where it comes from.
set -eu
payload=$1 from=${2:-}
# shellcheck source=/dev/null
. "$payload/run.conf"

if ! [ -d /run/systemd/system ]; then
  rm -rf "$payload"
  echo "slipway: this server does not run systemd; Debian 13, Ubuntu 24.04 or a later one is needed" >&2
  exit 66
fi

# The payload is gone when the status is read.
: >"$payload/status"
exec 7<"$payload/status"

set -- "--property=ExecStopPost=/bin/rm -rf $payload"
if [ -f "$payload/recover.sh" ]; then
  set -- "--property=ExecStopPost=-/bin/bash $payload/$ENTRY $payload recover" "$@"
fi

# No exec: when the unit could not be started at all, the payload is removed here.
status=0
systemd-run --quiet --collect --wait --pipe \
  --unit="slipway-$UNIT-${payload##*.}" --description="slipway $UNIT" \
  --property="RuntimeMaxSec=$TIMEOUT_SECONDS" --property=TimeoutStopSec=180 \
  --property="After=docker.service caddy.service" \
  --setenv="SLIPWAY_FROM=${SUDO_USER:-root}@${from:-this host}" "$@" \
  bash "$payload/$ENTRY" "$payload" </dev/null 7<&- || status=$?
case $(systemctl is-active "slipway-$UNIT-${payload##*.}") in active | activating | deactivating) ;; *) rm -rf "$payload" ;; esac
# 255 is systemd's word for a signal: it was killed before it had begun anything.
if [ "$status" != 0 ] && read -r told <&7; then status=$told; elif [ "$status" = 255 ]; then status=12; fi
exit "$status"
