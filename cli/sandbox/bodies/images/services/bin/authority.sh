#!/usr/bin/env bash
# The sandbox's certificate authority: what its registry, databases and ACME server are signed by.
# usage: authority.sh init | authority.sh issue COMMON_NAME SUBJECT_ALT_NAMES
set -euo pipefail
umask 077
home=/etc/slipway/tls
mkdir -p "$home"

case $1 in
init)
  [ ! -e "$home/ca.crt" ] || exit 0
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj '/CN=Slipway sandbox authority' \
    -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign,cRLSign' \
    -keyout "$home/ca.key" -out "$home/ca.crt" 2>/dev/null
  ;;
issue)
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" \
    -keyout "$work/key" -out "$work/csr" 2>/dev/null
  printf 'subjectAltName=%s\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n' "$3" >"$work/extensions"
  openssl x509 -req -in "$work/csr" -CA "$home/ca.crt" -CAkey "$home/ca.key" -days 825 \
    -extfile "$work/extensions" -out "$work/crt" 2>/dev/null
  cat "$work/crt" "$work/key"
  ;;
*)
  echo "usage: authority.sh init | issue COMMON_NAME SUBJECT_ALT_NAMES" >&2
  exit 64
  ;;
esac
