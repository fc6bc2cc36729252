#!/bin/sh
# PostgreSQL's archive_command: `$1` a finished segment of its log, `$2` its name; run in the data folder. It is compressed, flushed, and gets its name as a
# whole, in a folder of this cluster. Ends with 1 when that failed: PostgreSQL keeps the segment and tries again.
# A log that nobody takes away fills the disk and ends the database. So a segment is let go where there is no room for it, or where so many wait: the
# database goes on, no time behind that one can be gone back to, and the note says so until the next base backup.
set -eu
name=$2 top=${3:-/tappass/wal} note=${4:-/tappass/data/wal-gap} free_kb_min=${5:-524288} waiting_max=64
id=$(LC_ALL=C pg_controldata -D . | sed -n 's/^Database system identifier: *//p')
[ -n "$id" ]
folder=$top/$id

if [ -e "$folder/$name.gz" ]; then
  # After a crash PostgreSQL may ask for the same again. Another content under that name is never overwritten.
  if gzip -dc "$folder/$name.gz" | cmp -s - "$1"; then exit 0; fi
  echo "$folder/$name.gz has another content" >&2
  exit 1
fi
free_kb=$(df -Pk "$top" | awk 'NR == 2 { print $4 }')
if [ "$free_kb" -ge "$free_kb_min" ]; then
  if mkdir -p "$folder" && gzip -1 <"$1" >"$folder/$name.partial" && sync "$folder/$name.partial" &&
    mv -f "$folder/$name.partial" "$folder/$name.gz" && sync "$folder"; then
    # Whoever copies it elsewhere is told.
    : >"$top/.new" || :
    exit 0
  fi
  rm -f "$folder/$name.partial" || :
  [ "$(ls pg_wal/archive_status | grep -c '\.ready$')" -ge "$waiting_max" ] || exit 1
  why="it could not be written to $folder"
else
  why="$top has $free_kb kB free"
fi
[ -e "$note" ] || { echo "$id $name $(date -u +%Y-%m-%dT%H:%M:%SZ) $why" >"$note.new" && sync "$note.new" && mv -f "$note.new" "$note"; }
echo "the segment $name of the log was let go: $why" >&2
