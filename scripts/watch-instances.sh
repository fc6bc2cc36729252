# Watches the instances of a new release for a while before it is in force. Sent to the host as a script, like first-boot.sh.
#   mark VERSION UNIT…                         prints which processes of the release run now
#   watch VERSION SECONDS MARK SERVING UNIT…   fails with the reason; in the end the mark is in the file MARK
# An instance has to keep its process and to serve; it may be unwell for two looks. Memory is what only that process has (RssAnon): a young process
# grows by some 130 MB under load, so 192 MB, or a quarter of its limit, are allowed. Of its calls since, one in twenty may fail by its own fault, and four
# at any rate. Time is that of /proc/uptime: a clock that is set changes nothing.
set -eu

mark() {
  for unit do printf '%s %s %s\n' "$version" "$unit" "$(systemctl show --property=MainPID --value -- "$unit")"; done
}

value() { printf '%s\n' "$state" | sed -n "s/^$1=//p"; }
figure() { printf '%s' "$status" | sed -n "s/.* \([0-9][0-9]*\) $1.*/\1/p"; }
uptime() { read -r up _ </proc/uptime; echo "${up%.*}"; }
fail() {
  echo "$1 did not stand its time: $2" >&2
  exit 1
}

see() { # UNIT
  state=$(systemctl show --property=MainPID,NRestarts,ActiveState,StatusText,MemoryMax -- "$1")
  pid=$(value MainPID) restarts=$(value NRestarts) active=$(value ActiveState) status=$(value StatusText) limit=$(value MemoryMax)
  memory=$(sed -n 's/^RssAnon:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status" 2>/dev/null || :)
  memory=$((${memory:-0} / 1024))
  calls=$(figure calls) failed=$(figure failed)
}

# What an instance may grow by, in MB.
allowed() {
  case $limit in '' | *[!0-9]*) echo 192 && return ;; esac
  quarter=$((limit / 4194304))
  if [ "$quarter" -gt 192 ]; then echo "$quarter"; else echo 192; fi
}

judge() { # UNIT, its process, restarts, memory, calls and failed calls when it began
  see "$1"
  [ "$pid:$restarts" = "$2:$3" ] || fail "$1" "its process ended ($restarts restarts)"
  case $active:$status in
    active:"$serving"*) ;;
    *) unwell="$1: $status ($active)" && return ;;
  esac
  grown=$((memory - $4)) most=$(allowed)
  [ "$grown" -le "$most" ] || fail "$1" "its memory grew by $grown MB within $now s ($most MB are allowed)"
  asked=$((${calls:-0} - $5)) errors=$((${failed:-0} - $6))
  [ "$errors" -lt 5 ] || [ "$((errors * 20))" -le "$asked" ] || fail "$1" "$errors of $asked calls failed by its own fault"
  line="$line; $1: $memory MB, $asked calls, $errors failed"
}

watch() { # UNIT…
  before=
  for unit do
    see "$unit"
    before="$before $unit/$pid/$restarts/$memory/${calls:-0}/${failed:-0}"
  done
  start=$(uptime) told=0 bad=0
  while :; do
    now=$(($(uptime) - start)) line='' unwell=''
    for item in $before; do
      # shellcheck disable=SC2046
      judge $(echo "$item" | tr / ' ')
    done
    if [ -n "$unwell" ]; then bad=$((bad + 1)); else bad=0; fi
    [ "$bad" -lt 3 ] || fail "${unwell%%: *}" "${unwell#*: }"
    if [ "$now" -ge "$((told + 10))" ]; then
      echo "watched for $now of $seconds s$line"
      told=$now
    fi
    [ "$now" -lt "$seconds" ] || [ "$bad" != 0 ] || break
    sleep 2
  done
}

action=$1 version=$2
shift 2
if [ "$action" = watch ]; then
  seconds=$1 file=$2 serving=$3
  shift 3
  watch "$@"
  mkdir -p -m 0700 -- "${file%/*}"
  mark "$@" >"$file.new"
  mv -f -- "$file.new" "$file"
else
  mark "$@"
fi
