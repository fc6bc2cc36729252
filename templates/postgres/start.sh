#!/bin/sh
# Runs inside the container, in place of the image's own entry point: makes the cluster once, then becomes PostgreSQL.
# initdb writes PG_VERSION before it is done, so a cluster is made under another name and renamed when it is whole:
# a power cut in between leaves nothing that could be mistaken for a cluster.
set -eu
cd /tappass/data
if [ ! -e cluster ]; then
  rm -rf cluster.partial
  initdb --pgdata=cluster.partial --username=postgres --auth-local=peer --auth-host=reject \
    --encoding=UTF8 --locale=C --data-checksums
  mv cluster.partial cluster
  sync
fi
exec postgres -c config_file=/tappass/etc/postgresql.conf "$@"
