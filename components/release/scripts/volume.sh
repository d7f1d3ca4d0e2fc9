#!/usr/bin/env bash
# Puts the data volume in place, after everything that needs none. Run again it keeps what is there.
set -Eeuo pipefail
payload=$1
# shellcheck source=SCRIPTDIR/prepare-lib.sh
. "$payload/prepare-lib.sh"
run_parts volume

# For the day the disk goes to another machine; and back in service, if that day was called off.
install -D -m 700 "$payload/leave.sh" /usr/local/lib/slipway/leave.sh
/usr/local/lib/slipway/leave.sh open
