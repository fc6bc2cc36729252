#!/bin/sh
# Run as root by the unit before PostgreSQL is started, whoever starts it, a reboot included: refuses data that this version can't open, and
# an empty folder where there were data. A server that was started there would make a new, empty database and go on as if nothing was lost.
# Arguments: the version, the folder of the data, and the file that says outside of it that there were data (written once a server has run).
set -eu
version=$1 folder=$2 marker=$3
refuse() {
  printf 'tappass: PostgreSQL is not started: %s\n  next:  %s\n' "$1" "$2" >&2
  exit 5
}
version_of() { head -c 20 "$1/PG_VERSION" 2>/dev/null || echo nothing; }
# During a move to another version (move-data.sh) the unit that is in force says which of two whole clusters is.
if [ -e "$folder/next" ] && [ "$(version_of "$folder/cluster")" != "$version" ] && [ "$(version_of "$folder/cluster.$version")" = "$version" ]; then
  ! [ -e "$folder/cluster" ] || mv -T -- "$folder/cluster" "$folder/cluster.$(version_of "$folder/cluster")"
  mv -T -- "$folder/cluster.$version" "$folder/cluster"
  sync -f "$folder"
fi
if ! [ -e "$folder/cluster" ]; then
  [ -e "$marker" ] || exit 0
  refuse "there is no $folder/cluster, and there was a database of PostgreSQL $(head -c 20 "$marker")" \
    "mount the disk that it is on, it starts by itself then; if it is lost: docs/how-to/backup.md#a-database-that-is-gone"
fi
found=$(version_of "$folder/cluster")
[ "$found" = "$version" ] ||
  refuse "the database in $folder/cluster is one of PostgreSQL ${found:-nothing}, and the image opens $version only" \
    "tappass bootstrap, from the release that made it"
