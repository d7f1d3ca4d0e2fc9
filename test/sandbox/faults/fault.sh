# shellcheck shell=bash
# shellcheck disable=SC2016 # the texts of commands, as bash gives them
# Stops a release at an exact place, without a hook in it: the test's host has this file as BASH_ENV of every unit. In
# /run/fault stands `STEP begin|end kill|hold`.
case $0 in */release.sh) ;; *) return 0 ;; esac
[ "${2:-}" != recover ] || return 0

fault() {
  [ -s /run/fault ] || return 0
  local at how
  case $BASH_COMMAND in
    '"step_$step"') at=begin ;;
    'seconds[$step]'*) at=end ;;
    *) return 0 ;;
  esac
  read -r where when how </run/fault
  # shellcheck disable=SC2154 # of release.sh
  [ "$step $at" = "$where $when" ] || return 0
  rm /run/fault
  if [ "$how" = kill ]; then
    systemctl kill --signal KILL --kill-whom=all 'slipway-*-release-*.service'
    sleep 60
  fi
  : >/run/fault.reached
  until [ -e /run/fault.go ]; do sleep 0.02; done
}
trap fault DEBUG
