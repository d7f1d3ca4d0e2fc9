#!/usr/bin/env bash
# The body of one managed cluster: Postgres with TLS on 25060, its pools on 25061, its firewall.
# usage: postgres.sh serve MAX_CONNECTIONS | postgres.sh sql DATABASE <STATEMENTS | postgres.sh firewall <RULES | postgres.sh pools <LINES
set -euo pipefail
bin=/usr/lib/postgresql/17/bin
data=/var/lib/postgresql/data
home=/etc/slipway/postgres
as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"; }

make_cluster() {
  as_postgres "$bin/initdb" --pgdata="$data" --username=postgres --encoding=UTF8 --locale=C.UTF-8 \
    --auth-local=peer --auth-host=reject --no-sync >/dev/null
  cat >"$home/pg_hba.conf" <<'HBA'
local all postgres peer
local all all scram-sha-256
hostssl all all 0.0.0.0/0 scram-sha-256
HBA
}

# With auth_query the pools know every role that SQL makes, as those of the real service do.
write_pools() {
  {
    echo '[databases]'
    cat "$home/pools"
    cat <<'INI'
[pgbouncer]
listen_addr = 0.0.0.0
listen_port = 25061
unix_socket_dir =
auth_type = scram-sha-256
auth_user = postgres
auth_query = SELECT usename, passwd FROM pg_catalog.pg_shadow WHERE usename = $1
client_tls_sslmode = require
client_tls_cert_file = /etc/slipway/postgres/server.crt
client_tls_key_file = /etc/slipway/postgres/server.key
ignore_startup_parameters = extra_float_digits
pidfile = /run/postgresql/pgbouncer.pid
logfile = /var/log/pgbouncer.log
INI
  } >"$home/pgbouncer.ini"
  touch /var/log/pgbouncer.log
  chown postgres /var/log/pgbouncer.log "$home/pgbouncer.ini"
}

start_pools() {
  write_pools
  if [ -e /run/postgresql/pgbouncer.pid ] && kill -HUP "$(cat /run/postgresql/pgbouncer.pid)" 2>/dev/null; then return; fi
  as_postgres pgbouncer --quiet --daemon "$home/pgbouncer.ini"
}

case $1 in
serve)
  chown -R postgres "$home" /var/lib/postgresql
  chmod 600 "$home/server.key"
  install -d -o postgres /run/postgresql
  rm -f /run/postgresql/*
  [ -e "$data/PG_VERSION" ] || make_cluster
  [ ! -s "$home/firewall" ] || iptables-restore <"$home/firewall"
  [ ! -s "$home/pools" ] || start_pools
  # Durability is not what a cluster that lives for one rehearsal is for.
  exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$bin/postgres" -D "$data" -p 25060 \
    -c listen_addresses='*' -c unix_socket_directories=/run/postgresql -c hba_file="$home/pg_hba.conf" \
    -c ssl=on -c ssl_cert_file="$home/server.crt" -c ssl_key_file="$home/server.key" -c max_connections="$2" \
    -c password_encryption=scram-sha-256 -c fsync=off -c synchronous_commit=off -c full_page_writes=off
  ;;
sql) as_postgres psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 -h /run/postgresql -p 25060 -d "$2" ;;
firewall)
  cat >"$home/firewall"
  iptables-restore <"$home/firewall"
  ;;
pools)
  cat >"$home/pools"
  start_pools
  ;;
*)
  echo "usage: postgres.sh serve MAX_CONNECTIONS | sql DATABASE | firewall | pools" >&2
  exit 64
  ;;
esac
