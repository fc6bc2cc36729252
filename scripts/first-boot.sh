# What a new machine may still be busy with, and how it is waited for: ten minutes at most. Sourced by ../bootstrap.sh, and sent to
# hosts by the toolkit; both wait in the same way. Only functions.
# shellcheck shell=sh

# Seconds since the machine was started: its clock may be set meanwhile.
uptime_seconds() {
  read -r since_boot _ </proc/uptime
  echo "${since_boot%.*}"
}

# Runs its arguments, and again while another program holds a lock of apt or dpkg. Apt itself waits for the frontend lock of dpkg only,
# not for those of its lists and archives; dpkg waits for none.
retry_while_locked() {
  errors=$(mktemp)
  tries=0
  until_seconds=$(($(uptime_seconds) + 600))
  while :; do
    code=0
    LC_ALL=C "$@" 2>"$errors" || code=$?
    if [ "$code" = 0 ] || [ "$tries" -ge 300 ] || [ "$(uptime_seconds)" -ge "$until_seconds" ] ||
      ! grep -qE 'Could not get lock|Unable to (acquire|lock)|(is|was) locked' "$errors"; then
      cat "$errors" >&2
      rm -f "$errors"
      return "$code"
    fi
    [ "$tries" -gt 0 ] || echo 'another program is at work with apt or dpkg; waiting for it, 10 minutes at most' >&2
    tries=$((tries + 1))
    sleep 2
  done
}

# Prints what cloud-init says of itself (running, done, error, disabled …), nothing where it is not installed. It is a slow program, so it
# is not asked once it has written its result; what went wrong then follows on the next line.
cloud_init_state() {
  command -v cloud-init >/dev/null 2>&1 || return 0
  if [ -e /run/cloud-init/result.json ]; then
    problems=$(tr -d '\n' </run/cloud-init/result.json | sed -n 's/.*"errors": *\[ *\([^] ][^]]*\)\].*/\1/p')
    if [ -z "$problems" ]; then echo 'done'; else printf 'error\n%s\n' "$problems"; fi
    return 0
  fi
  timeout 20 cloud-init status --long 2>/dev/null | sed -n -e 's/^status: *//p' -e 's/^[[:space:]]*- //p'
}

# Waits while cloud-init runs.
await_cloud_init() {
  until_seconds=$(($(uptime_seconds) + 600))
  while [ "$(cloud_init_state | sed -n 1p)" = running ] && [ "$(uptime_seconds)" -lt "$until_seconds" ]; do sleep 2; done
}
