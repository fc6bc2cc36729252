/** The machine and its kernel: what wears out, what was killed, and what containers and sandboxes need. */
import { fail, none, ok, skip, type Topic, warn } from '../diagnosis/check.ts'

const PROBE = String.raw`
uname -r | sed 's/^/kernel /'
[ ! -e /run/reboot-required ] || echo "reboot $(tr '\n' ' ' </run/reboot-required.pkgs)x"
systemctl --failed --plain --no-legend --no-pager | sed -n 's/^\([^ ]*\) .*/failed-unit \1/p'
sed -n 's/^\(SwapTotal\|MemAvailable\|MemTotal\): *\([0-9]*\) kB/\1 \2/p' /proc/meminfo
sed -n 's/^oom_kill /oom-kills /p' /proc/vmstat
echo "cgroup $(stat -fc %T /sys/fs/cgroup)"
grep -q overlay /proc/filesystems && echo overlay yes || { modinfo overlay >/dev/null 2>&1 && echo overlay yes || echo overlay no; }
sed 's/^/user-namespaces /' /proc/sys/user/max_user_namespaces
grep -q '^Seccomp:' /proc/self/status && echo seccomp yes || echo seccomp no
read -r used _ most </proc/sys/fs/file-nr; echo "file-handles $used $most"
echo "processes $(ls -d /proc/[0-9]* | wc -l) $(cat /proc/sys/kernel/pid_max)"
echo "load $(cut -d ' ' -f 1 /proc/loadavg) $(getconf _NPROCESSORS_ONLN)"
while read -r _ mount _ options _; do case $mount in / | /var | /var/lib | /opt | /etc) case ,$options, in *,ro,*) echo "read-only $mount" ;; esac ;; esac; done </proc/mounts
timeout 3 getent hosts "$(cat /proc/sys/kernel/hostname)" >/dev/null && echo own-name yes || echo own-name no
[ -d /var/log/journal ] && echo journal-kept yes || echo journal-kept no
echo "journal-megabytes $(timeout 5 du -sm /var/log/journal /run/log/journal 2>/dev/null | cut -f 1 | sort -n | tail -n 1)"
echo "pressure $(sed -n 's/^full .*avg300=\([0-9.]*\).*/\1/p' /proc/pressure/memory)"
echo "io-pressure $(sed -n 's/^full .*avg300=\([0-9.]*\).*/\1/p' /proc/pressure/io)"`

const SHARE_MAX = 0.8
const JOURNAL_MEGABYTES_MAX = 4096
const STALLED_PERCENT_MAX = 20

function shareOf(text: string): number {
  const [used, most] = text.split(/\s+/).map(Number) as [number, number]
  return used / most
}

/** The machine. */
export const machine: Topic = {
  name: 'machine',
  probe: PROBE,
  checks: [
    {
      id: 'machine.reboot',
      what: 'no update waits for a reboot',
      judge: ({ probe }) =>
        probe.one('reboot') === ''
          ? ok()
          : warn(
              `updates wait for it: ${probe.one('reboot').replace(/x$/, '').trim() || 'unknown'}`,
              'sudo systemctl reboot   (on the host; it comes back by itself)',
            ),
    },
    {
      id: 'machine.failed-units',
      what: 'no unit of the system has failed',
      judge: ({ probe }) =>
        none(probe.all('failed-unit'), (units) =>
          warn(`failed: ${units}`, `systemctl status ${units.split(',')[0]}   (on the host)`),
        ),
    },
    {
      id: 'machine.swap',
      what: 'a machine of little memory has swap',
      judge: ({ probe }) =>
        probe.number('SwapTotal') === 0 && probe.number('MemTotal') < 2 * 1024 * 1024
          ? warn(
              'less than 2 GB and no swap: a moment of need ends processes',
              'sudo fallocate -l 1G /swapfile && sudo chmod 600 /swapfile && sudo mkswap /swapfile && sudo swapon /swapfile   (on the host)',
            )
          : ok(),
    },
    {
      id: 'machine.memory-left',
      what: 'some memory is left',
      judge: ({ probe }) =>
        probe.number('MemAvailable') < probe.number('MemTotal') * 0.05
          ? fail(
              `only ${Math.floor(probe.number('MemAvailable') / 1024)} MB are available`,
              'ps --sort=-rss -eo rss,args | head   (on the host)',
            )
          : ok(),
    },
    {
      id: 'machine.oom',
      what: 'the kernel has ended no process for want of memory',
      judge: ({ probe }) =>
        probe.number('oom-kills') > 0
          ? warn(
              `${probe.one('oom-kills')} since the machine was started`,
              'journalctl -k --grep "Killed process" -n 5   (on the host)',
            )
          : ok(),
    },
    {
      id: 'machine.cgroup',
      what: 'control groups are version 2',
      judge: ({ probe }) =>
        probe.one('cgroup') === 'cgroup2fs'
          ? ok()
          : fail(
              `they are ${probe.one('cgroup') || 'unknown'}: limits of memory do not hold`,
              'take systemd.unified_cgroup_hierarchy=0 out of the kernel’s command line',
            ),
    },
    {
      id: 'machine.overlay',
      what: 'the kernel has overlayfs',
      judge: ({ probe }) =>
        probe.one('overlay') === 'no'
          ? fail('no container starts without it', 'modprobe overlay   (on the host); or another kernel')
          : ok(),
    },
    {
      id: 'machine.namespaces',
      what: 'the kernel gives namespaces to services',
      judge: ({ probe }) =>
        probe.number('user-namespaces') === 0
          ? fail(
              'user.max_user_namespaces is 0: our units do not start',
              'sysctl -w user.max_user_namespaces=15000   (on the host)',
            )
          : ok(),
    },
    {
      id: 'machine.seccomp',
      what: 'the kernel filters system calls',
      judge: ({ probe }) =>
        probe.one('seccomp') === 'no'
          ? fail('without seccomp the sandboxes of our units do not hold', 'use a kernel of the distribution')
          : ok(),
    },
    {
      id: 'machine.file-handles',
      what: 'files may be opened',
      judge: ({ probe }) =>
        shareOf(probe.one('file-handles')) > SHARE_MAX
          ? fail(
              `of the handles ${probe.one('file-handles').replace(' ', ' of ')} are used`,
              'sysctl fs.file-max   (on the host)',
            )
          : ok(),
    },
    {
      id: 'machine.processes',
      what: 'processes may be started',
      judge: ({ probe }) =>
        shareOf(probe.one('processes')) > SHARE_MAX
          ? fail(
              `${probe.one('processes').replace(' ', ' of ')} numbers are used`,
              'ps -e --no-headers -o comm | sort | uniq -c | sort -n | tail   (on the host)',
            )
          : ok(),
    },
    {
      id: 'machine.load',
      what: 'it is not overloaded',
      judge: ({ probe }) =>
        shareOf(probe.one('load')) > 4
          ? warn(`load and processors: ${probe.one('load')}`, 'top   (on the host)')
          : ok(),
    },
    {
      id: 'machine.read-only',
      what: 'file systems are writable',
      judge: ({ probe }) =>
        none(probe.all('read-only'), (mounts) =>
          fail(
            `read-only: ${mounts}; after an error of the disk the kernel does that`,
            'dmesg --level err | tail   (on the host)',
          ),
        ),
    },
    {
      id: 'machine.name',
      what: 'it knows its own name',
      judge: ({ probe }) =>
        probe.one('own-name') === 'no'
          ? warn(
              'its name does not resolve: sudo and mail wait for it',
              'add it to /etc/hosts with 127.0.1.1   (on the host)',
            )
          : ok(),
    },
    {
      id: 'machine.journal-kept',
      what: 'the journal outlives a reboot',
      judge: ({ probe }) =>
        probe.one('journal-kept') === 'no'
          ? warn(
              '/var/log/journal is absent: after a reboot nobody knows why',
              'sudo mkdir /var/log/journal && sudo systemctl restart systemd-journald   (on the host)',
            )
          : ok(),
    },
    {
      id: 'machine.journal-size',
      what: 'the journal is bounded',
      judge: ({ probe }) =>
        probe.number('journal-megabytes') > JOURNAL_MEGABYTES_MAX
          ? warn(
              `it has ${probe.one('journal-megabytes')} MB`,
              'sudo journalctl --vacuum-size=1G   (on the host), and SystemMaxUse= in journald.conf',
            )
          : ok(),
    },
    {
      id: 'machine.memory-pressure',
      what: 'nothing stands still for want of memory',
      judge: ({ probe }) => {
        if (probe.one('pressure') === '') return skip('the kernel does not say')
        return probe.number('pressure') > STALLED_PERCENT_MAX
          ? warn(
              `all stood still for ${probe.one('pressure')} % of five minutes`,
              'ps --sort=-rss -eo rss,args | head   (on the host)',
            )
          : ok()
      },
    },
    {
      id: 'machine.disk-pressure',
      what: 'nothing stands still for want of the disk',
      judge: ({ probe }) => {
        if (probe.one('io-pressure') === '') return skip('the kernel does not say')
        return probe.number('io-pressure') > STALLED_PERCENT_MAX
          ? warn(`all stood still for ${probe.one('io-pressure')} % of five minutes`, 'iostat -x 2 3   (on the host)')
          : ok()
      },
    },
    {
      id: 'machine.disks',
      what: 'disks have room and inodes',
      judge: ({ health }) =>
        none(
          health.conditions.filter(({ name, isWell }) => name === 'disk' && !isWell).map(({ state }) => state),
          (states) =>
            fail(
              states,
              'sudo du --one-file-system --human-readable --max-depth=3 /var/lib | sort --human-numeric-sort | tail   (on the host)',
            ),
        ),
    },
    {
      id: 'machine.clock',
      what: 'the clock is kept by a time service',
      judge: ({ health }) => {
        const { isWell = false, state = 'unknown' } = health.conditions.find(({ name }) => name === 'clock') ?? {}
        return isWell ? ok(state) : fail(state, 'sudo apt-get install systemd-timesyncd   (on the host)')
      },
    },
  ],
}
