#!/bin/sh
# Finds the addresses of the names in /etc/tappass/outbound, and of apt's mirrors, and opens the packet filter to them. A name that does not
# resolve keeps the addresses that it had; one that has others keeps the old ones for a day. Laid down by the toolkit of TapPass.
set -u
PATH=/usr/sbin:/usr/bin:/sbin:/bin
list=${TAPPASS_OUTBOUND_LIST:-/etc/tappass/outbound}
state=${STATE_DIRECTORY:-/var/lib/tappass/outbound}
keep=86400 wait=15 table=tappass
umask 022
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
exec 9>"$state/lock" || exit 1
flock 9
now=$(date +%s)

mirrors() {
  cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
    sed -e '/^[[:space:]]*#/d' -e 's,//[^/ ]*@,//,g' | grep -oE 'https?://[A-Za-z0-9._-]+(:[0-9]+)?' |
    awk -F: '{ print "tcp", ($3 != "" ? $3 : $1 == "https" ? 443 : 80), substr($2, 3) }'
}

resolvers() {
  cat /etc/resolv.conf /run/systemd/resolve/resolv.conf 2>/dev/null |
    awk '$1 == "nameserver" { sub(/%.*/, "", $2); if ($2 !~ /^127\./ && $2 != "::1") print $2 }' | sort -u
}

# From rows "protocol port name address time" in the file $1.
rules() {
  {
    resolvers | awk '{ print "resolvers", $1 }'
    awk '{ print "outbound", $4 " . " ($1 == "udp" ? 17 : 6) " . " $2 }' "$1" | sort -u
  } | awk '
    { set = $1 ($2 ~ /:/ ? 6 : 4); element = $0; sub(/^[a-z]+ /, "", element)
      elements[set] = elements[set] (elements[set] == "" ? "" : ", ") element }
    END { split("resolvers4 resolvers6 outbound4 outbound6", names, " ")
      for (i = 1; i <= 4; i++) {
        print "flush set inet tappass " names[i]
        if (names[i] in elements) print "add element inet tappass " names[i] " { " elements[names[i]] " }"
      } }'
}

# Writes what is known for the next load of the rules, and opens it now where they are loaded.
open_for() {
  rules "$1" >"$state/new" && sync -- "$state/new" && mv -f -- "$state/new" "$state/addresses.nft" || return 1
  nft list chain inet $table outbound >/dev/null 2>&1 || return 0
  nft -f "$state/addresses.nft"
}

{ grep -v '^#' "$list"; mirrors; } 2>/dev/null | sort -u >"$work/rows"
touch "$state/addresses"
# Only what is still on the list.
awk 'NR == FNR { wanted[$0]; next } ($1 " " $2 " " $3) in wanted' "$work/rows" "$state/addresses" >"$work/old"
# Before anything is asked: the resolvers may be others.
open_for "$work/old" || exit 1

mkdir "$work/answers"
cut -d ' ' -f 3 "$work/rows" | sort -u >"$work/names"
while read -r name; do
  timeout "$wait" getent ahosts "$name" 2>/dev/null </dev/null |
    awk '$1 ~ /^[0-9a-f.:]+$/ && $1 !~ /^(0\.|127\.|::1$|::$)/ { print $1 }' | sort -u >"$work/answers/$name" &
done <"$work/names"
wait

: >"$work/unresolved"
while read -r protocol port name; do
  [ -s "$work/answers/$name" ] || { printf '%s\n' "$name" >>"$work/unresolved"; continue; }
  while read -r address; do printf '%s %s %s %s %s\n' "$protocol" "$port" "$name" "$address" "$now"; done <"$work/answers/$name"
done <"$work/rows" >"$work/found"
sort -u -o "$work/unresolved" "$work/unresolved"

awk -v now="$now" -v keep="$keep" '
  FILENAME ~ /unresolved$/ { silent[$1]; next }
  { key = $1 " " $2 " " $3 " " $4 }
  FILENAME ~ /found$/ { seen[key]; print; next }
  !(key in seen) && (($3 in silent) || $5 > now - keep)' "$work/unresolved" "$work/found" "$work/old" >"$work/addresses"
open_for "$work/addresses" || exit 1
cp "$work/addresses" "$state/addresses.new" && sync -- "$state/addresses.new" && mv -f -- "$state/addresses.new" "$state/addresses"

# Said once, until it changes.
touch "$state/unresolved"
if ! cmp -s "$work/unresolved" "$state/unresolved"; then
  while read -r name; do
    echo "<4>$name does not resolve: what was known of its addresses stays open"
  done <"$work/unresolved"
  [ -s "$work/unresolved" ] || echo '<6>every name resolves'
  cp "$work/unresolved" "$state/unresolved"
fi
exit 0
