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

# The packages that the launcher needs and that are missing, on one line.
missing_packages() {
  command -v curl >/dev/null 2>&1 || printf 'curl '
  command -v tar >/dev/null 2>&1 || printf 'tar '
  [ -s /etc/ssl/certs/ca-certificates.crt ] || printf 'ca-certificates '
}

# Another apt may be running on a new machine: wait for it.
install_packages() {
  command -v apt-get >/dev/null 2>&1 ||
    fail "missing on this machine: $*" 'there is no apt-get to install it' 'use Ubuntu 24.04, Debian 12 or Debian 13'
  printf 'bootstrap: installing %s\n' "$*" >&2
  export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a
  apt-get -q -o DPkg::Lock::Timeout=600 update >&2
  apt-get -q -y -o DPkg::Lock::Timeout=600 --no-install-recommends install "$@" >&2
}

main() {
  root=$(find_root)
  for word in "$@"; do
    case $word in -h | --help) exec "$root/tappass" bootstrap --help ;; esac
  done
  [ "$(id -u)" = 0 ] || fail 'root privileges required' "started by $(id -un)" "sudo $0 $*"
  packages=$(missing_packages)
  # shellcheck disable=SC2086 # a list of words on purpose
  [ -z "$packages" ] || install_packages $packages
  exec "$root/tappass" bootstrap "$@"
}

main "$@"
