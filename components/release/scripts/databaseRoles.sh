#!/usr/bin/env bash
# Makes the roles of one database. Runs on the host, because the database lets nobody else in. The connection comes
# from a service file and the SQL from files: nothing of it is in the arguments or the environment of a process.
set -euo pipefail
payload=$1
cd "$payload"

export PGSERVICEFILE=$payload/pg_service.conf
export PGSERVICE=admin PGCONNECT_TIMEOUT=10 PSQLRC=/dev/null
if [ -f createDatabase.sql ]; then PGSERVICE=maintenance; fi

# A firewall rule and a new node take a while to be in force; a wrong password does not get right by waiting.
deadline=$((SECONDS + ${SLIPWAY_DATABASE_PATIENCE:-180}))
until error=$(psql --no-password --quiet --command 'SELECT 1' 2>&1 >/dev/null); do
  case $error in
    *authentication\ failed* | *certificate* | *"does not exist"* | *"invalid "*) ;;
    *)
      if [ "$SECONDS" -lt "$deadline" ]; then
        sleep 2
        continue
      fi
      ;;
  esac
  printf 'slipway: the database does not let this host in as its admin: %s\n' "$error" >&2
  exit 1
done

if [ -f createDatabase.sql ]; then
  psql --no-password --quiet --no-align --tuples-only --set ON_ERROR_STOP=1 \
    --file variables.psql --file createDatabase.sql >/dev/null
  PGSERVICE='admin'
fi
psql --no-password --quiet --no-align --tuples-only --set ON_ERROR_STOP=1 \
  --file variables.psql --file databaseRoles.sql
