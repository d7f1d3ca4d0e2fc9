#!/bin/sh
# As in the official image: templates are filled from the environment, then the scripts beside them run.
set -eu

if [ "${1:-}" = nginx ] || [ "${1:-}" = nginx-debug ]; then
  if [ -d /etc/nginx/templates ]; then
    names=$(env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/${\1}/p' | tr '\n' ' ')
    find /etc/nginx/templates -name '*.template' | while read -r template; do
      target=/etc/nginx/conf.d/${template#/etc/nginx/templates/}
      mkdir -p "$(dirname "$target")"
      envsubst "$names" <"$template" >"${target%.template}"
    done
  fi
  for script in /docker-entrypoint.d/*.sh; do
    if [ -x "$script" ]; then "$script"; fi
  done
fi
exec "$@"
