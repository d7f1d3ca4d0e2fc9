#!/usr/bin/env bash
# usage: registry.sh serve | registry.sh receive REPOSITORY <DOCKER_ARCHIVE
set -euo pipefail
home=/etc/slipway

case $1 in
serve)
  htpasswd -niB -C 5 deploy <"$home/password" >"$home/htpasswd"
  exec docker-registry serve "$home/registry.yml"
  ;;
receive)
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  # Weak compression: nothing here crosses a network, and two cores have better things to do.
  skopeo --insecure-policy copy --quiet --authfile "$home/auth.json" --digestfile "$work/digest" \
    --dest-compress-format gzip --dest-compress-level 1 docker-archive:/dev/stdin "docker://127.0.0.1:5000/$2:latest" >&2
  cat "$work/digest"
  ;;
*)
  echo "usage: registry.sh serve | receive REPOSITORY" >&2
  exit 64
  ;;
esac
