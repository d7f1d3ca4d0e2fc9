#!/usr/bin/env bash
# As in the official image: the first start makes the cluster from POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB,
# reachable over a socket only, and runs the scripts beside it.
set -euo pipefail

if [ "${1:0:1}" = - ]; then set -- postgres "$@"; fi
if [ "$1" != postgres ]; then exec "$@"; fi
if [ "$(id -u)" = 0 ]; then
  install -d -o postgres -g postgres -m 700 "$PGDATA"
  chown -R postgres:postgres "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$0" "$@"
fi

# NAME, or the content of the file that NAME_FILE names.
value() {
  local file=$1_FILE
  if [ -n "${!file:-}" ]; then cat "${!file}"; else printf '%s' "${!1:-$2}"; fi
}

run_scripts() {
  local script
  for script in /docker-entrypoint-initdb.d/*; do
    case $script in
      *.sh) if [ -x "$script" ]; then "$script"; else bash "$script"; fi ;;
      *.sql) psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$user" --dbname "$database" --file "$script" ;;
    esac
  done
}

if ! [ -s "$PGDATA/PG_VERSION" ]; then
  user=$(value POSTGRES_USER postgres)
  password=$(value POSTGRES_PASSWORD '')
  database=$(value POSTGRES_DB "$user")
  method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
  if [ -z "$password" ] && [ "$method" != trust ]; then
    echo "Error: Database is uninitialized and superuser password is not specified: set POSTGRES_PASSWORD" >&2
    exit 1
  fi
  # shellcheck disable=SC2086 # options, one word each
  initdb --pgdata="$PGDATA" --username="$user" --pwfile=<(printf '%s\n' "${password:-none}") --encoding=UTF8 \
    --locale=C.UTF-8 --auth-local=trust --no-sync ${POSTGRES_INITDB_ARGS:-}
  printf 'host all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
  sed -i "s/^#listen_addresses = .*/listen_addresses = '*'/" "$PGDATA/postgresql.conf"
  pg_ctl --pgdata="$PGDATA" --options="-c listen_addresses=''" --wait --silent start
  [ "$database" = postgres ] || createdb --username="$user" "$database"
  run_scripts
  pg_ctl --pgdata="$PGDATA" --mode=fast --wait --silent stop
fi
exec "$@"
