#!/usr/bin/env bash
# Makes a Debian or Ubuntu server ready for releases. Every part looks first and changes only what differs, so that it
# can run again at any time. What a container cannot do is skipped aloud.
set -Eeuo pipefail
payload=$1
# shellcheck source=SCRIPTDIR/prepare-lib.sh
. "$payload/prepare-lib.sh"
run_parts boot packages users hostkeys docker edge metadata upkeep
