#!/usr/bin/env bash
# Serves the registry, with the login that was put beside its certificate.
set -euo pipefail
home=/etc/slipway

htpasswd -niB -C 5 deploy <"$home/password" >"$home/htpasswd"
exec docker-registry serve "$home/registry.yml"
