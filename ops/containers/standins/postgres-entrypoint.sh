#!/bin/sh
# As the official image: an empty volume gets a database, a user and a password; while that is being done the server
# listens on its socket only.
set -e
as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }

if [ "$1" = postgres ]; then
  install -d -o postgres -g postgres -m 700 "$PGDATA"
  if [ ! -s "$PGDATA/PG_VERSION" ]; then
    user=${POSTGRES_USER:-postgres} database=${POSTGRES_DB:-${POSTGRES_USER:-postgres}}
    [ -n "$POSTGRES_PASSWORD" ] || { echo 'POSTGRES_PASSWORD is required' >&2; exit 1; }
    password=$(mktemp) && printf '%s\n' "$POSTGRES_PASSWORD" > "$password" && chown postgres "$password"
    as_postgres initdb -D "$PGDATA" -U "$user" --pwfile="$password" --auth-local=trust --auth-host=scram-sha-256 \
      -E UTF8 --locale=C.UTF-8
    rm "$password"
    echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
    as_postgres pg_ctl -D "$PGDATA" -o "-c listen_addresses='' -c unix_socket_directories=/tmp" -w start
    [ "$database" = postgres ] || psql -h /tmp -U "$user" -d postgres -v ON_ERROR_STOP=1 -c "CREATE DATABASE \"$database\""
    as_postgres pg_ctl -D "$PGDATA" -m fast -w stop
  fi
  shift
  exec setpriv --reuid=postgres --regid=postgres --init-groups \
    postgres -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/tmp "$@"
fi
exec "$@"
