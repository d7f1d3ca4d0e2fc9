#!/usr/bin/env bash
# Makes a machine ready to be left: see leave.sh. Run after the release, so that the old machine closes its door when the
# new one can answer.
set -Eeuo pipefail
payload=$1
umask 022
mkdir -p /etc/slipway
install -m 644 "$payload/address-moves" /etc/slipway/address-moves
install -D -m 700 "$payload/leave.sh" /usr/local/lib/slipway/leave.sh
/usr/local/lib/slipway/leave.sh open
echo '{"result": "open"}'
