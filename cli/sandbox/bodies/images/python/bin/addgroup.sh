#!/bin/sh
# Debian's addgroup, and BusyBox's for Dockerfiles that were written for Alpine.
set -eu

case " $* " in
  *" -S "* | *" -g "*) ;;
  *) exec /usr/sbin/addgroup "$@" ;;
esac
options=
names=
while [ $# -gt 0 ]; do
  case $1 in
    -S) options="$options --system" ;;
    -g) options="$options --gid $2" && shift ;;
    *) names="$names $1" ;;
  esac
  shift
done
# shellcheck disable=SC2086
exec groupadd $options $names
