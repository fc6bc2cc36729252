#!/bin/sh
# Runs inside the container of Compose, in place of the image's own entry point, which would want the password in the environment: makes the
# cluster once, gives the roles the passwords that the secrets hold, then becomes PostgreSQL. Nobody from outside gets in before that.
set -eu
data=/var/lib/postgresql/data
cluster=$data/cluster
refuse() {
  printf 'tappass: PostgreSQL is not started: %s\n  next:  %s\n' "$1" "$2" >&2
  exit 5
}
for secret in postgres-password postgres-owner-password; do
  [ -s "/run/secrets/$secret" ] ||
    refuse "the secret $secret is empty or not there" './tappass secrets make --env .env.prod; docker compose --env-file .env.prod up -d --force-recreate'
done
version=$(postgres --version | sed 's/.* \([0-9]*\)\..*/\1/')
if [ ! -e "$cluster" ]; then
  # initdb writes PG_VERSION before it is done, so a cluster is made under another name and renamed when it is whole.
  rm -rf "$cluster.partial"
  initdb --pgdata="$cluster.partial" --username=postgres --auth-local=peer --auth-host=reject --encoding=UTF8 --locale=C --data-checksums
  mv "$cluster.partial" "$cluster"
  sync
fi
found=$(cat "$cluster/PG_VERSION")
[ "$found" = "$version" ] ||
  refuse "the volume holds a database of PostgreSQL $found, and this image opens $version only" 'go back to the release that made it'
settings="-c config_file=/tappass/etc/postgresql.conf -c data_directory=$cluster -c hba_file=/tappass/compose/pg_hba.conf -c unix_socket_directories=/tmp -c archive_mode=off -c max_connections=100"
pg_ctl --silent --wait --timeout=900 --pgdata="$cluster" --options="$settings" start
{
  base64 -w0 </run/secrets/postgres-owner-password
  echo
  base64 -w0 </run/secrets/postgres-password
} | psql --no-psqlrc --quiet --host /tmp --username postgres --dbname postgres --file /tappass/etc/role.sql
pg_ctl --silent --wait --timeout=60 --mode=fast --pgdata="$cluster" stop
# shellcheck disable=SC2086
exec postgres $settings -c listen_addresses='*' -c shared_buffers="${SHARED_BUFFERS:-128MB}"
