#!/bin/sh
# apk for Dockerfiles that were written for Alpine: the usual packages, by their Debian names.
set -eu

debian_name() {
  case $1 in
    build-base) echo "gcc g++ make libc6-dev" ;;
    musl-dev | libc-dev) echo libc6-dev ;;
    linux-headers) echo linux-libc-dev ;;
    postgresql-dev | postgresql[0-9]*-dev | libpq-dev) echo libpq-dev ;;
    postgresql-client | postgresql[0-9]*-client) echo postgresql-client ;;
    postgresql-libs | libpq) echo libpq5 ;;
    mariadb-dev | mariadb-connector-c-dev) echo libmariadb-dev ;;
    jpeg-dev | libjpeg-turbo-dev) echo libjpeg-dev ;;
    zlib-dev) echo zlib1g-dev ;;
    libffi-dev) echo libffi-dev ;;
    openssl-dev) echo libssl-dev ;;
    libxml2-dev) echo libxml2-dev ;;
    libxslt-dev) echo libxslt1-dev ;;
    freetype-dev) echo libfreetype-dev ;;
    netcat-openbsd | busybox-extras) echo netcat-openbsd ;;
    py3-pip | python3 | python3-dev | py3-virtualenv | .*) ;;
    shadow) echo passwd ;;
    su-exec) echo gosu ;;
    gettext-dev) echo gettext ;;
    g++ | gcc | make | cargo | rust) echo "$1" | sed 's/^rust$/rustc/' ;;
    *) echo "$1" ;;
  esac
}

action=
packages=
skip=
for word in "$@"; do
  if [ -n "$skip" ]; then
    skip=
    continue
  fi
  case $word in
    -t | --virtual) skip=1 ;;
    -*) ;;
    *)
      if [ -z "$action" ]; then action=$word; else packages="$packages $(debian_name "${word%%[=<>~]*}")"; fi
      ;;
  esac
done

case $action in
  add)
    [ -n "$packages" ] || exit 0
    apt-get update -qq
    # shellcheck disable=SC2086
    apt-get install -y -qq $packages
    rm -rf /var/lib/apt/lists/*
    ;;
  # What an Alpine build removes again does no harm where it stays.
  update | upgrade | del | cache) ;;
  *)
    echo "apk $action: this image is Debian and stands in for an Alpine one; it knows add, del, update, upgrade" >&2
    exit 64
    ;;
esac
