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

# How to start this as root: sudo drops the variables of the proxy unless they are repeated, or kept by name where they hold a password.
sudo_line() { # ARGUMENT…
  line=sudo
  case "${https_proxy:-}${http_proxy:-}" in
    '') ;;
    *@*) line='sudo --preserve-env=https_proxy,http_proxy,no_proxy,HTTPS_PROXY,HTTP_PROXY,NO_PROXY' ;;
    *) line="sudo env${https_proxy:+ https_proxy=$https_proxy}${http_proxy:+ http_proxy=$http_proxy}${no_proxy:+ no_proxy=$no_proxy}" ;;
  esac
  printf '%s\n' "$line $0 $*"
}

# The packages that the launcher needs and that are missing, on one line.
missing_packages() {
  command -v curl >/dev/null 2>&1 || printf 'curl '
  command -v tar >/dev/null 2>&1 || printf 'tar '
  [ -s /etc/ssl/certs/ca-certificates.crt ] || printf 'ca-certificates '
}

# A new machine is set up by cloud-init: it rewrites the sources of apt, and may start the machine anew.
wait_for_first_boot() {
  [ "$(cloud_init_state | sed -n 1p)" = running ] || return 0
  printf 'bootstrap: cloud-init is still setting up this machine; waiting for it, 10 minutes at most\n' >&2
  await_cloud_init
  [ "$(cloud_init_state | sed -n 1p)" != running ] ||
    fail 'cloud-init is still running after 10 minutes' 'it rewrites the sources of apt, and may start the machine anew' \
      'see what it waits for: cloud-init status --long'
}

# What a bundle holds is not asked of anybody: the launcher takes Node out of it, and the toolkit the packages.
has_bundle() { # ARGUMENT…
  for word in "$@"; do
    case $word in --bundle | --bundle=*) return 0 ;; esac
  done
  return 1
}

install_packages() {
  command -v apt-get >/dev/null 2>&1 ||
    fail "missing on this machine: $*" 'there is no apt-get to install it' 'use Ubuntu 24.04 or 26.04, Debian 12 or Debian 13'
  printf 'bootstrap: installing %s\n' "$*" >&2
  export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
  retry_while_locked apt-get -q -o Acquire::Retries=3 update >&2
  retry_while_locked apt-get -q -y --no-remove --no-install-recommends install "$@" >&2
}

main() {
  root=$(find_root)
  for word in "$@"; do
    case $word in -h | --help) exec "$root/tappass" bootstrap --help ;; esac
  done
  use_proxy
  [ "$(id -u)" = 0 ] || fail 'root privileges required' "started by $(id -un)" "$(sudo_line "$@")"
  # shellcheck source=scripts/first-boot.sh
  . "$root/scripts/first-boot.sh"
  wait_for_first_boot
  if has_bundle "$@"; then packages=; else packages=$(missing_packages); fi
  # shellcheck disable=SC2086 # a list of words on purpose
  [ -z "$packages" ] || install_packages $packages
  exec "$root/tappass" bootstrap "$@"
}

main "$@"
