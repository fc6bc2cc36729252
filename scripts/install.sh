# Sourced by the launcher (../tappass) when something is missing or damaged: installs the pinned Node into .tappass/node and the
# locked dependencies into node_modules. Everything is built in a temporary folder and renamed into place, by one launcher at a time.
# shellcheck shell=sh disable=SC2154,SC2012

# Runs a program: on a terminal with its progress, elsewhere with its last lines when it fails.
run() {
  if [ -t 2 ]; then "$@" >&2 && return 0; else "$@" >"$work/log" 2>&1 && return 0; fi
  [ -t 2 ] || tail -n 12 "$work/log" >&2
  return 1
}

# Replaces a folder by a finished one, by renaming.
replace_folder() { # FRESH FINAL
  mkdir -p "${2%/*}"
  if [ -e "$2" ] || [ -L "$2" ]; then mv "$2" "$work/old.${2##*/}"; fi
  mv "$1" "$2"
}

# The lock of a dead owner is taken over; the start time tells it from another process with the same number.
start_of() { # PID: its start time
  line=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  # shellcheck disable=SC2086
  set -- ${line##*) }
  case $1 in Z | X) return 1 ;; esac # a zombie has ended
  echo "${20}"
}

is_running() { # PID START
  if [ -d /proc/self ]; then [ "$(start_of "$1")" = "${2-}" ]; else kill -0 "$1" 2>/dev/null; fi
}

lock() {
  owner="$$ $(start_of $$ || echo -)"
  printf '%s\n' "$owner" >"$state/lock.$$"
  attempts=0 waiting=no
  until ln "$state/lock.$$" "$state/lock" 2>/dev/null; do
    holder=$(cat "$state/lock" 2>/dev/null) || holder=
    # shellcheck disable=SC2086
    if [ -z "$holder" ]; then
      attempts=$((attempts + 1))
      [ "$attempts" -lt 20 ] || fail 'cannot lock the folder' "$state/lock" 'hard links fail there' 'move the clone to another file system'
    elif is_running $holder; then
      [ $waiting = yes ] || say "another tappass (process ${holder%% *}) is installing; waiting for it"
      waiting=yes
      sleep 1
    elif mv "$state/lock" "$state/stale.$$" 2>/dev/null; then
      # Only the dead lock may be removed; a newer one, acquired in between, is restored.
      [ "$(cat "$state/stale.$$")" = "$holder" ] || ln "$state/stale.$$" "$state/lock" 2>/dev/null || :
      rm -f "$state/stale.$$"
    fi
  done
  rm -f "$state/lock.$$"
}

# Removes what killed launchers left. Only the owner of the lock has a work folder; each waiter has its own lock file.
remove_leftovers() {
  rm -rf "$state"/work.* 2>/dev/null || :
  for waiter in "$state"/lock.*; do
    # shellcheck disable=SC2046
    [ ! -e "$waiter" ] || is_running $(cat "$waiter") || rm -f "$waiter"
  done
}

unlock() {
  rm -rf "$work" "$state/lock.$$"
  [ "$(cat "$state/lock" 2>/dev/null)" != "${owner-}" ] || rm -f "$state/lock"
}

# Sets `npm_script`: empty for the host's npm, else the path of the one in a vendor's archive, which `npm_node` runs.
find_npm() {
  npm_script=
  npm_major=$(npm --version 2>/dev/null) || npm_major=0
  npm_major=${npm_major%%.*}
  case $npm_major in '' | *[!0-9]*) npm_major=0 ;; esac
  [ "$npm_major" -lt 7 ] || return 0
  for folder in "$state"/node/*/; do
    npm_node=${folder}bin/node npm_script=${folder}lib/node_modules/npm/bin/npm-cli.js
    [ -f "$npm_script" ] && is_installed_node "${folder%/}" && return 0
  done
  return 1
}

run_npm() { if [ -n "$npm_script" ]; then PATH="${npm_node%/*}:$PATH" "$npm_node" "$npm_script" "$@"; else npm "$@"; fi; }

platform_of() {
  case $(uname -s)-$(uname -m) in
    Linux-x86_64) echo linux-x64 ;;
    Linux-aarch64) echo linux-arm64 ;;
    *) uname -sm | tr ' ' - ;;
  esac
}

# The pinned Nodes in order of preference, one per line: VERSION LIBRARY ARCHIVE-SHA256 PACKAGE-SHA256, or `-`.
pinned() {
  awk -v platform="$1:" '
    function flush() { if (version != "") print version, library, archive, package; version = "" }
    { sub(/(^|[ \t])#.*/, ""); gsub(/["\047\r]/, ""); if ($1 == "-") $1 = "" ; else if (/^[^ \t]/) { flush(); inside = ($1 == "node:") } $0 = $0 }
    !inside { next }
    $1 == "version:" { flush(); version = $2; library = archive = package = "-"; group = "" }
    $1 == "needs:" { library = $2 }
    $1 == "archives:" || $1 == "packages:" { group = $1 }
    $1 == platform && group == "archives:" { archive = $2 }
    $1 == platform && group == "packages:" { package = $2 }
    END { flush() }' "$root/versions.yaml"
}

# With --bundle nothing is downloaded: sets `bundle` and `bundle_key`, the last of each.
read_bundle_options() {
  bundle='' bundle_key='' option=''
  for word in "$@"; do
    case $option in
      --bundle) bundle=$word option='' && continue ;;
      --bundle-key) bundle_key=$word option='' && continue ;;
    esac
    case $word in
      --) break ;;
      --bundle | --bundle-key) option=$word ;;
      --bundle=*) bundle=${word#*=} ;;
      --bundle-key=*) bundle_key=${word#*=} ;;
    esac
  done
  [ -z "$bundle" ] || [ -r "$bundle" ] || refuse "cannot read $bundle" "$root" 'there is no such file, or it is not yours to read' \
    'check the path: ls -l FILE'
}

refuse() { # WHAT WHERE WHY NEXT: a bundle that is of no use here
  printf 'tappass: %s\n  where: %s\n  why:   %s\n  next:  %s\n' "$1" "$2" "$3" "$4" >&2
  exit 5
}

# Copies Node out of the bundle into $work/node.tgz. What it has to hash to is pinned in this clone: that needs no signature.
copy_bundled() { # VERSION ARCHIVE-SHA256 PACKAGE-SHA256
  source=$bundle
  tar -xOf "$bundle" "node/$1.tar.gz" >"$work/node.tgz" 2>/dev/null || return 1
  actual=$(sha256 <"$work/node.tgz")
  for expected in ${TAPPASS_NODE_SHA256:-} "$2" "$3"; do [ "$actual" != "$expected" ] || return 0; done
  refuse "$bundle is not whole, or another one" "node/$1.tar.gz in it" "its SHA-256 is $actual, and $root/versions.yaml has another" \
    'copy it again, and compare with the original: sha256sum FILE'
}

has_library() { # libatomic1: whether libatomic.so.1 is installed
  [ "$1" != - ] || return 0
  name=${1%%[0-9]*}.so.${1##*[!0-9]}
  for path in /lib /lib64 /lib/* /usr/lib /usr/lib64 /usr/lib/* /usr/local/lib; do [ ! -e "$path/$name" ] || return 0; done
  return 1
}

# Downloads with npm into $work/node.tgz and sets the expected checksum. The package holds bin/node and no npm.
fetch_package() { # VERSION PACKAGE-SHA256
  [ -z "${TAPPASS_NODE_URL-}" ] && [ "$2" != - ] && [ "$wanted" = node ] && find_npm || return 1
  source=node-$platform@$1 expected=$2
  say "downloading Node $1 with npm"
  (cd "$work" && run run_npm pack --ignore-scripts --loglevel=error "$source" && mv node-*.tgz node.tgz) && return 0
  say "npm cannot download $source; trying the vendor's site"
  return 1
}

fetch_archive() { # VERSION ARCHIVE-SHA256
  source=${TAPPASS_NODE_URL:-$(awk '$1 == "node-download:" { print $2 }' "$root/versions.yaml")}
  case $source in *.tar.gz | *.tgz) ;; *) source=${source%/}/v$1/node-v$1-$platform.tar.gz ;; esac
  expected=${TAPPASS_NODE_SHA256:-$2}
  [ "$expected" != - ] || fail 'no Node is pinned for this platform' "$root/versions.yaml" "it has no checksum for $platform" \
    'install Node 24 or newer with npm, then run this again'
  has curl || fail "no suitable $wanted found, and no curl to download one" "PATH=$PATH" \
    'TapPass needs Node 24 or newer with npm; it downloads its own with curl' 'install curl (apt-get install curl), then run this again'
  say "downloading Node $1 from $source"
  if [ -t 2 ]; then bar=--progress-bar; else bar=--no-progress-meter; fi
  run curl -fL $bar --connect-timeout 20 --speed-limit 500 --speed-time 60 --retry 2 -o "$work/node.tgz" "$source" ||
    fail "cannot download Node $1" "$source" 'see the output of curl above' \
      'check the network or the proxy (https_proxy), or set TAPPASS_NODE_URL to a copy, then run this again'
}

unpack_node() { # VERSION: $fresh
  actual=$(sha256 <"$work/node.tgz")
  [ "$actual" = "$expected" ] || fail "checksum mismatch for Node $1; the download was discarded" "$source" \
    "its SHA-256 is $actual, expected $expected" 'run this again; if it happens again, do not trust that source'
  rm -rf "$work/unpacked" && mkdir "$work/unpacked"
  run tar -xzf "$work/node.tgz" -C "$work/unpacked" || fail "cannot unpack Node $1" "$work" \
    "see the output of tar above; $(free_megabytes) MB free" 'free disk space, then run this again'
  for folder in "$work"/unpacked/*/; do fresh=${folder%/}; done
  rm -rf "$fresh/include" "$fresh/share" "$work/node.tgz"
}

# Installs the first pinned Node that starts on this machine. With `wanted=npm` it is the vendor's archive, which includes npm.
install_node() { # WANTED
  wanted=$1 platform=$(platform_of)
  require_megabytes 400
  pinned "$platform" >"$work/pinned"
  while read -r version library archive package <&3; do
    if ! has_library "$library"; then
      say "Node $version needs $library, which is not installed: trying the next pinned version"
      continue
    fi
    if [ -n "$bundle" ]; then
      copy_bundled "$version" "$archive" "$package" || continue
    else
      fetch_package "$version" "$package" || fetch_archive "$version" "$archive"
    fi
    unpack_node "$version"
    if node_fits "$fresh/bin/node"; then
      listing_of "$fresh" bin lib >"$fresh/.installed"
      replace_folder "$fresh" "$state/node/${answer%% *}"
      return
    fi
    say "Node $version does not start on this machine: $("$fresh/bin/node" -v 2>&1 | tail -n 1)"
  done 3<"$work/pinned"
  [ -z "$bundle" ] || refuse 'no Node to start with' "$bundle" \
    "it is no bundle for $platform, it was cut off, or this machine lacks a library that its Node needs" \
    'copy it again, and compare with the original: sha256sum FILE'
  fail 'no pinned Node starts on this machine' "$platform" "tried: $(cut -d ' ' -f 1 "$work/pinned" | tr '\n' ' ')" \
    'install Node 24 or newer with npm, then run this again'
}

# The toolkit of a bundle holds them, and is unpacked after the whole bundle was verified.
unpack_dependencies() {
  [ -n "$bundle_key" ] || fail '"--bundle" and "--bundle-key" go together' "$bundle" 'without a public key nobody knows who made it' \
    'add --bundle-key FILE'
  say "taking the locked dependencies from $bundle"
  code=0
  "$node" "$root/scripts/bundle/toolkit-dependencies.ts" "$bundle" "$bundle_key" "$root/package-lock.json" "$work/fresh" || code=$?
  [ "$code" = 0 ] || exit "$code"
}

download_dependencies() {
  find_npm || install_node npm
  find_npm || fail 'npm does not start' "$state/node" 'the Node in that folder has none' 'install npm, then run this again'
  cp "$root/package.json" "$root/package-lock.json" "$work/fresh"
  [ ! -f "$root/.npmrc" ] || cp "$root/.npmrc" "$work/fresh"
  [ -w "${HOME:-/nowhere}" ] || export npm_config_cache="$work/npm"
  # Installed development dependencies are kept.
  if awk '/"dev": true/ { found = 1 } END { exit !found }' "$root/node_modules/.package-lock.json" 2>/dev/null; then needs=development; fi
  say "installing the locked dependencies ($needs)"
  set -- ci --loglevel=error --ignore-scripts --no-audit --no-fund --prefer-offline --fetch-retry-mintimeout=2000
  [ "$needs" = development ] || set -- "$@" --omit=dev
  (cd "$work/fresh" && run run_npm "$@") || fail 'cannot install the dependencies' "$root/package-lock.json" \
    "see the output of npm above; $(free_megabytes) MB free" 'check the network or the proxy (npm config get registry), then run this again'
}

install_dependencies() {
  require_megabytes 300
  mkdir "$work/fresh"
  if [ -n "$bundle" ]; then unpack_dependencies; else download_dependencies; fi
  rm -f "$state/installed"
  replace_folder "$work/fresh/node_modules" "$root/node_modules"
  # shellcheck disable=SC2046
  printf '%s %s %s\n' "$needs" "$(fingerprint)" "$(fingerprint $(production_folders))" >"$work/installed"
  mv "$work/installed" "$state/installed"
}

free_megabytes() { df -Pk "$root" 2>/dev/null | awk 'NR == 2 { print int($4 / 1024) }'; }

require_megabytes() { # MEGABYTES
  free=$(free_megabytes)
  [ "${free:-$1}" -ge "$1" ] || fail 'not enough disk space' "$root" "$free MB free, $1 MB needed" 'free disk space, then run this again'
}

prepare() { # ARGUMENT…: of the launcher
  read_bundle_options "$@"
  { mkdir -p "$state" && [ -w "$state" ]; } 2>/dev/null || fail 'cannot install: the folder is not writable' "$state" \
    "it belongs to $(ls -ld "$state" "$root" 2>/dev/null | awk 'NR == 1 { print $3 }'), you are $(id -un)" \
    'run this as its owner, or in a clone of your own'
  # A folder created with sudo belongs to the owner of the clone.
  [ "$(id -u)" != 0 ] || chown "$(ls -ldn "$root" | awk '{ print $3 ":" $4 }')" "$state"
  work=$state/work.$$
  trap unlock EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  lock
  remove_leftovers
  mkdir "$work"
  find_node || install_node node
  find_node || fail 'the installed Node is not suitable' "$state/node" "$("$node" -v 2>&1)" 'install Node 24 or newer, then run this again'
  [ "$needs" = nothing ] || are_dependencies_installed || install_dependencies
  unlock
  trap - EXIT INT TERM HUP
}
