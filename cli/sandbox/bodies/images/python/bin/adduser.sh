#!/bin/sh
# Debian's adduser, and BusyBox's for Dockerfiles that were written for Alpine: those use short options.
set -eu

case " $* " in
  *" -"[SDGHhsug]" "* | *" -"[SDH][SDH]" "*) ;;
  *) exec /usr/sbin/adduser "$@" ;;
esac
set -- "$@"
options=
name=
while [ $# -gt 0 ]; do
  case $1 in
    -S) options="$options --system --shell /bin/false" ;;
    -D) ;;
    -H) options="$options --no-create-home" ;;
    -SD | -DS) options="$options --system" ;;
    -DH | -HD) options="$options --no-create-home" ;;
    -G) options="$options --gid $2" && shift ;;
    -h) options="$options --home-dir $2" && shift ;;
    -s) options="$options --shell $2" && shift ;;
    -u) options="$options --uid $2" && shift ;;
    -g) shift ;;
    *) name=$1 ;;
  esac
  shift
done
case $options in
  *--no-create-home*) ;;
  *) options="$options --create-home" ;;
esac
# shellcheck disable=SC2086
exec useradd $options "$name"
