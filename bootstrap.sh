#!/bin/sh
# `sudo ./bootstrap.sh` turns this machine into a TapPass server: the same as `./tappass bootstrap`, on a machine that has only sh,
# sudo and apt. It installs what the launcher needs; the toolkit does everything else.
# All code is in functions, so that a truncated copy does nothing.
set -eu

fail() { # WHAT WHY NEXT
  printf 'bootstrap: %s\n  why:  %s\n  next: %s\n' "$1" "$2" "$3" >&2
  exit 5
}

# The clone's folder, wherever this was called from.
find_root() { CDPATH='' cd -P -- "$(dirname -- "$0")" && pwd -P; }

# Apt, curl and npm go by these variables; apt and curl know some in lower case only.
use_proxy() {
  for name in https_proxy http_proxy no_proxy; do
    upper=$(printf %s "$name" | tr '[:lower:]' '[:upper:]')
    eval "value=\${$name:-\${$upper:-}}"
    # shellcheck disable=SC2154 # eval sets it
    if [ -n "$value" ]; then export "$name=$value"; fi
  done
}

# How to start this as root: sudo drops the variables of the proxy unless they are repeated.
sudo_line() { # ARGUMENT…
  line=sudo
  if [ -n "${https_proxy:-}${http_proxy:-}" ]; then line="sudo env${https_proxy:+ https_proxy=$https_proxy}${http_proxy:+ http_proxy=$http_proxy}${no_proxy:+ no_proxy=$no_proxy}"; fi
  printf '%s\n' "$line $0 $*"
}

# The packages that the launcher needs and that are missing, on one line.
missing_packages() {
  command -v curl >/dev/null 2>&1 || printf 'curl '
  command -v tar >/dev/null 2>&1 || printf 'tar '
  [ -s /etc/ssl/certs/ca-certificates.crt ] || printf 'ca-certificates '
}

# Runs its arguments, and again for up to ten minutes while another program holds apt's or dpkg's lock, as on a new machine. Apt itself
# waits for the lock of dpkg only, not for that of its lists.
retry_while_locked() {
  errors=$(mktemp)
  tries=0
  while :; do
    code=0
    "$@" >&2 2>"$errors" || code=$?
    cat "$errors" >&2
    if [ "$code" = 0 ] || [ "$tries" -ge 120 ] ||
      ! grep -qE 'Could not get lock|Unable to (acquire|lock)|(is|was) locked' "$errors"; then
      rm -f "$errors"
      return "$code"
    fi
    tries=$((tries + 1))
    sleep 5
  done
}

install_packages() {
  command -v apt-get >/dev/null 2>&1 ||
    fail "missing on this machine: $*" 'there is no apt-get to install it' 'use Ubuntu 24.04 or 26.04, Debian 12 or Debian 13'
  printf 'bootstrap: installing %s\n' "$*" >&2
  export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
  retry_while_locked apt-get -q -o Acquire::Retries=3 update
  retry_while_locked apt-get -q -y --no-remove --no-install-recommends install "$@"
}

main() {
  root=$(find_root)
  for word in "$@"; do
    case $word in -h | --help) exec "$root/tappass" bootstrap --help ;; esac
  done
  use_proxy
  [ "$(id -u)" = 0 ] || fail 'root privileges required' "started by $(id -un)" "$(sudo_line "$@")"
  packages=$(missing_packages)
  # shellcheck disable=SC2086 # a list of words on purpose
  [ -z "$packages" ] || install_packages $packages
  exec "$root/tappass" bootstrap "$@"
}

main "$@"
