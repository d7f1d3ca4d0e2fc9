#!/usr/bin/env bash
# Writes a minimal Debian as a tar to stdout, for machines that reach Debian's packages but no image registry.
# usage: bootstrap.sh SUITE MIRROR APT_CONF_FILE
set -euo pipefail
suite=$1
mirror=$2
settings=$3

if ! command -v mmdebstrap >/dev/null || [ ! -e /usr/share/keyrings/debian-archive-keyring.gpg ]; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "no image registry answers, and mmdebstrap is missing: install 'mmdebstrap' or make 'docker pull debian:$suite-slim' work" >&2
    exit 1
  fi
  export DEBIAN_FRONTEND=noninteractive
  {
    apt-get update -qq || true
    apt-get install -y -qq --no-install-recommends mmdebstrap debian-archive-keyring
  } >&2
fi

# The hook takes the machine's own names out of the image. mmdebstrap, not this shell, gives it its $1.
# shellcheck disable=SC2016
mmdebstrap --quiet --mode=root --variant=minbase --include=ca-certificates --skip=check/qemu --format=tar \
  --keyring=/usr/share/keyrings/debian-archive-keyring.gpg --aptopt="$settings" \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt=force-unsafe-io \
  --customize-hook='rm -f "$1"/etc/resolv.conf "$1"/etc/hostname "$1"/etc/apt/apt.conf.d/99mmdebstrap' \
  "$suite" - "$mirror"
