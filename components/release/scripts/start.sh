#!/bin/sh
# Runs the payload's entry script as a transient systemd unit, so that a cut SSH connection cannot stop it halfway.
# The unit, not this shell, removes the payload: it may outlive the connection.
set -eu
payload=$1
# shellcheck source=/dev/null
. "$payload/run.conf"

if ! [ -d /run/systemd/system ]; then
  rm -rf "$payload"
  echo "slipway: this server does not run systemd; Debian 13, Ubuntu 24.04 or a later one is needed" >&2
  exit 66
fi

# No exec: when the unit could not be started at all, the payload is removed here.
status=0
systemd-run --quiet --collect --wait --pipe \
  --unit="slipway-$UNIT-${payload##*.}" --description="slipway $UNIT" \
  --property="RuntimeMaxSec=$TIMEOUT_SECONDS" --property=TimeoutStopSec=180 \
  --property="After=docker.service caddy.service" \
  --property="ExecStopPost=/bin/rm -rf $payload" \
  bash "$payload/$ENTRY" "$payload" </dev/null || status=$?
systemctl is-active --quiet "slipway-$UNIT-${payload##*.}" || rm -rf "$payload"
exit "$status"
