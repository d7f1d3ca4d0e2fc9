#!/bin/sh
# Gives the image what this machine itself needs to reach packages: its apt settings, its mirror, its trusted
# authorities, its pip settings. Each file is empty where the machine has nothing special.
set -eu
cd /tmp/machine

printf 'APT::Install-Recommends "false";\nAPT::Install-Suggests "false";\nAcquire::Languages "none";\n' \
  >/etc/apt/apt.conf.d/80slipway-sandbox
[ ! -s apt.conf ] || cp apt.conf /etc/apt/apt.conf.d/90machine
if [ -s debian.sources ]; then
  rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*
  cp debian.sources /etc/apt/sources.list.d/debian.sources
fi
[ ! -s pip.conf ] || cp pip.conf /etc/pip.conf

mkdir -p /etc/ssl/certs /usr/local/share/ca-certificates
if [ -s ca.crt ]; then
  # A mirror behind https can only be asked for ca-certificates once the authorities are there.
  [ -s /etc/ssl/certs/ca-certificates.crt ] || cp ca.crt /etc/ssl/certs/ca-certificates.crt
  cp ca.crt /usr/local/share/ca-certificates/machine.crt
fi
if ! command -v update-ca-certificates >/dev/null; then
  apt-get update -q
  apt-get install -y -q ca-certificates
fi
update-ca-certificates >/dev/null 2>&1
rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*
