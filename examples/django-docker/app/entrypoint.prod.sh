#!/bin/bash
# Waits for the database, then becomes the command, so that its signals reach it.
set -euo pipefail

if [ "${DATABASE:-}" = postgres ]; then
  deadline=$((SECONDS + ${SQL_WAIT_SECONDS:-60}))
  # A firewall that drops packets would hold one attempt for minutes, hence timeout, which needs a shell of its own.
  # shellcheck disable=SC2016  # that shell expands the variables: they are in its environment
  until timeout 3 bash -c '</dev/tcp/"$SQL_HOST"/"$SQL_PORT"' 2>/dev/null; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      echo "no answer from the database at ${SQL_HOST:-(SQL_HOST is not set)}:${SQL_PORT:-(SQL_PORT is not set)}" >&2
      exit 1
    fi
    sleep 0.2
  done
fi

exec "$@"
