#!/bin/sh
# Moves the data of PostgreSQL to another major version, run as root in a unit of its own: a server of that version is filled beside from a dump of
# each database, while the gateway stands still; every row is compared; then the unit of the new version takes over (check-data.sh changes the names), and the earlier
# data stay as cluster.VERSION. Killed anywhere, one whole cluster is in force: that of the unit that is. `settle` clears up and starts what was stopped.
# Arguments: the versions from and to, the image, its account; or `settle`. The text of the new unit is in unit.next.
set -eu
data=/var/lib/tappass/postgres run=/run/tappass/postgres next=tappass-postgres-next
unit=/etc/systemd/system/tappass-postgres.service
export DOCKER_CONFIG=/run/tappass/docker

fail() { printf 'tappass: the database was not moved, and the one before is in force: %s\n' "$1" >&2; exit 1; }
uptime() { cut -d ' ' -f 1 /proc/uptime; }
version_of() { head -c 20 "$1/PG_VERSION" 2>/dev/null || :; }
put_unit() { cp -- "$1" "$unit.new"; chmod 0644 -- "$unit.new"; sync -- "$unit.new"; mv -- "$unit.new" "$unit"; systemctl daemon-reload; }

if [ "$1" = settle ]; then
  docker rm --force --volumes $next >/dev/null 2>&1 || :
  rm -rf -- "$data/moving" "$run/next"
  systemctl daemon-reload
  # Killed just before the unit of the new version was there: what is filled goes, for calls are recorded in the other one from here on.
  if systemctl start tappass-postgres && [ -e "$data/next" ]; then
    wanted=$(cat "$data/next")
    [ "$wanted" = "$(version_of "$data/cluster")" ] || rm -rf -- "$data/cluster.$wanted"
    rm -f -- "$data/next"
  fi
  rm -f -- "$data/unit.next" "$data/unit.before"
  systemctl start tappass.target
  exit
fi

from=$1 to=$2 image=$3 uid=$4
if [ -d /var/lib/tappass/backup ]; then
  exec 9>>/var/lib/tappass/backup/.lock
  flock --wait 3600 9 || fail 'a backup has been under way for an hour'
fi
[ "$(version_of "$data/cluster")" = "$from" ] || fail "it is not of PostgreSQL $from"
systemctl start tappass-postgres || fail 'the server does not start'

# The server beside: of the same settings and roles, which get their passwords when the unit starts it. Until it is whole it need not outlive a power cut.
docker rm --force --volumes $next >/dev/null 2>&1 || :
rm -rf -- "$data/moving" "$data/next"
install -d -o "$uid" -g "$uid" -m 0700 "$data/moving" "$run/next"
docker run --detach --name $next --pull never --network none --user "$uid:$uid" --read-only --cap-drop ALL \
  --security-opt no-new-privileges --pids-limit 512 --shm-size 128m --ulimit core=0 --stop-signal SIGINT \
  --tmpfs /tmp:rw,noexec,nosuid,nodev,size=64m --tmpfs /var/lib/postgresql/data:ro,size=4k \
  --mount type=bind,source=/etc/tappass/postgres,target=/tappass/etc,readonly \
  --mount "type=bind,source=$data/moving,target=/tappass/data" --mount "type=bind,source=$run,target=/tappass/run" \
  --entrypoint /bin/sh "$image" /tappass/etc/start.sh -c unix_socket_directories=/tappass/run/next -c fsync=off -c autovacuum=off \
  -c shared_buffers=64MB -c max_connections=20 >/dev/null || fail 'the server of the new version does not start'
tries=0
until docker exec $next pg_isready --quiet --host /tappass/run/next 2>/dev/null; do
  tries=$((tries + 1))
  if [ $tries -gt 300 ] || ! docker top $next >/dev/null 2>&1; then
    fail "the server of the new version does not start: $(docker logs --tail 3 $next 2>&1)"
  fi
  sleep 0.2
done

# SERVER (old or new), ROLE, DATABASE, then words for psql.
ask() {
  case $1 in old) container=tappass-postgres host=/tappass/run ;; *) container=$next host=/tappass/run/next ;; esac
  user=$2 name=$3
  shift 3
  docker exec --interactive $container psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 \
    --host $host --username "$user" --dbname "$name" "$@"
}
# The programs of the newer version speak to both servers; each container sees both sockets.
tools=$next
[ "$to" -gt "$from" ] || tools=tappass-postgres
printf '\n\n' | ask new postgres postgres --file /tappass/etc/role.sql || fail 'its roles can not be made'

# As the owner of the tables, so that nothing that stands in a dump runs with more rights.
fill() {
  strict='--exit-on-error --single-transaction'
  [ "$to" -gt "$from" ] || strict=''
  # shellcheck disable=SC2016
  said=$(docker exec $tools sh -c 'set -o pipefail
    pg_dump --host "$1" --username tappass_backup --dbname "$3" --format custom --no-large-objects |
    pg_restore --host "$2" --username tappass_owner --dbname tappass_moved --no-owner $4' sh \
    "$(host_of old)" "$(host_of new)" "$1" "$strict" 2>&1) && return
  # An older server does not know one setting of the newer programs. Nothing else may fail, and all is compared.
  case $strict$said in *'parameter "transaction_timeout"'*'errors ignored on restore: 1') return 0 ;; esac
  fail "$1 can not be restored: $said"
}
host_of() { case $1 in old) echo /tappass/run ;; *) echo /tappass/run/next ;; esac; }

# Each table with the number of its rows and a sum over the digests of all of them, and each sequence.
rows_of() {
  ask "$1" tappass_backup "$2" <<'SQL'
SET search_path = pg_catalog; SET row_security = off; SET timezone = 'UTC';
SELECT format('SELECT %L, count(*), coalesce(sum((''x'' || substr(md5((t.*)::text), 1, 16))::bit(64)::bigint::numeric), 0) FROM ONLY %I.%I AS t',
  format('%I.%I', n.nspname, c.relname), n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema' ORDER BY 1 \gexec
SELECT 'sequence', schemaname, sequencename, last_value FROM pg_sequences ORDER BY 2, 3;
SQL
}
schema_of() {
  docker exec $tools pg_dump --schema-only --host "$(host_of "$1")" --username tappass_backup --dbname "$2" | grep -v -e '^--' -e '^\\restrict' -e '^\\unrestrict'
}

databases=$(ask old postgres postgres --command \
  "SELECT datname FROM pg_catalog.pg_database WHERE NOT datistemplate AND datname NOT IN ('postgres', 'tappass_proof', 'tappass_restored') ORDER BY 1")
began=$(uptime) moved=''
systemctl stop 'tappass*.socket' 'tappass@*.service' tappass-migrate.service
for database in $databases; do
  ask new postgres postgres --command 'CREATE DATABASE tappass_moved OWNER tappass_owner TEMPLATE template0'
  fill "$database"
  ask new tappass_owner tappass_moved --command ANALYZE
  ask new postgres postgres --command "DROP DATABASE IF EXISTS $database" --command "ALTER DATABASE tappass_moved RENAME TO $database" \
    --command "REVOKE ALL ON DATABASE $database FROM PUBLIC" --command "GRANT CONNECT ON DATABASE $database TO tappass, tappass_backup"
  had=$(rows_of old "$database")
  has=$(rows_of new "$database")
  if [ "$had" != "$has" ]; then
    printf '%s\n' "$had" >"$data/moving/had"
    fail "$database has other rows than before: $(printf '%s\n' "$has" | diff "$data/moving/had" - | head -n 4)"
  fi
  [ "$(schema_of old "$database")" = "$(schema_of new "$database")" ] || fail "$database has another schema than before"
  moved="$moved$had
"
done

docker stop --time 600 $next >/dev/null
[ "$(docker wait $next)" = 0 ] || fail 'the server of the new version has not ended in order'
docker rm --volumes $next >/dev/null
systemctl stop tappass-postgres
rm -rf -- "$data/cluster.$to"
mv -T -- "$data/moving/cluster" "$data/cluster.$to"
cp -p -- "$unit" "$data/unit.before"
printf '%s\n' "$to" >"$data/next"
sync -f "$data"
put_unit "$data/unit.next"
if ! systemctl start tappass-postgres; then
  put_unit "$data/unit.before"
  systemctl start tappass-postgres
  fail "the server does not start on them: tappass logs postgres"
fi
rm -f -- "$data/next"
systemctl start tappass.target
tries=0
until curl --silent --fail --max-time 2 --output /dev/null http://127.0.0.1:9620/health || [ $tries -gt 300 ]; do tries=$((tries + 1)); sleep 0.1; done
printf '%s %s\n' "$began" "$(uptime)" | awk -v rows="$(printf %s "$moved" | awk -F '|' '$1 != "sequence" { sum += $2 } END { print sum + 0 }')" -v to="$to" -v from="$from" \
  '{ printf "moved to PostgreSQL %s: %d rows compared, the gateway stood still for %.1f s; the data of PostgreSQL %s are kept until upgrade --finish\n", to, rows, $2 - $1, from }'
