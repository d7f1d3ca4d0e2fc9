#!/usr/bin/env bash
# Ships one release of one app to this host: beside the old one, gated, then switched. Any failure before the switch
# leaves the old release as it was. The steps are run in the order of STEPS; undo.sh says what takes each back. Called
# with `recover` it ships nothing and puts in order what a release left that was killed.
set -Eeuo pipefail

# An app that cannot run twice retires its old release before the new one touches the data.
case ${1:-} in
  --steps) strategy=${2:-blue-green} ;;
  *) strategy=$(jq -r .strategy "$1/release.json") ;;
esac
if [ "$strategy" = recreate ]; then
  STEPS=(preflight fetch backup retire migrate start gate switch drain remove)
else
  STEPS=(preflight fetch backup migrate start gate retire switch drain remove)
fi
readonly strategy STEPS
if [ "${1:-}" = --steps ]; then
  printf '%s\n' "${STEPS[@]}"
  exit 0
fi

# Decimal points, and Docker's words as fetch.sh knows them.
export LC_ALL=C.UTF-8

payload=$1 mode=${2:-release}
app=$(jq -r .app "$payload/release.json")
release=$(jq -r .release "$payload/release.json")
docker_config=$payload/docker
readonly payload mode app release docker_config

for part in lib undo recover preflight fetch migrate colour gate probe static edge aside adopt takeover workers recreate keep; do
  # shellcheck source=/dev/null
  . "$payload/$part.sh"
done

umask 077
[ "$mode" = release ] || something_to_recover || exit 0
mkdir -p "$root/releases" "$root/log" "$docker_config"
log=$(log_file)
readonly log

# The SSH connection may be gone by the time something is printed: all goes to the log, the receipt to fd 3 or 4 at the end.
trap '' PIPE HUP
exec 3>&1 4>&2 >>"$log" 2>&1

declare -A seconds=()
step=lock failure_code='' failure_message='' failure_cure='' finished=''
colour='' config='' directory=''
trap 'exit 143' TERM INT
trap finish EXIT

take_lock
load_state
recover || fail recovery-failed "what an earlier run left cannot be undone yet" "read the log below, mend that, run pulumi up again"
load_state
[ "$mode" = release ] || tell_of_the_killed
name_release
if [ "$current_config" = "$config" ] && [ "$current_release" = "$release" ] && colour_is_up; then
  keep_payload
  refresh_edge
  finished=unchanged
  exit 0
fi

take_turn
probe_start
prepare_recovery
for step in "${STEPS[@]}"; do
  say "== $step"
  write_journal "$step"
  from=$(uptime_now)
  "step_$step"
  seconds[$step]=$(since "$from")
done
clear_journal
finished=released
