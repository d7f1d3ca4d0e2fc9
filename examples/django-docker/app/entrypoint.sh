#!/bin/bash
# Development: the same wait, then the tables, so that `docker compose up` is all there is to do.
set -euo pipefail

exec ./entrypoint.prod.sh bash -c 'python manage.py migrate --noinput && exec "$@"' bash "$@"
