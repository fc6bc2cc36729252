/** The distribution's packages: whether they can be installed and are kept up to date. */
import { fail, none, ok, skip, type Topic, warn } from '../diagnosis/check.ts'

const PROBE = String.raw`
dpkg --audit | sed -n 's/^ \([^ ]*\) .*/unfinished \1/p'
[ -z "$(ls -A /var/lib/dpkg/updates)" ] || echo "unfinished dpkg"
for lock in /var/lib/dpkg/lock-frontend /var/lib/apt/lists/lock; do
  inode=$(stat -c %i "$lock" 2>/dev/null) && grep -q ":$inode " /proc/locks && echo "locked $lock"
done
printed=$(timeout 10 apt-get indextargets 2>&1 >/dev/null) || printf '%s\n' "$printed" | sed -n '/^E: /{s/^E: /sources /p;q;}'
apt-mark showhold | grep -E '^(docker|containerd|caddy|openssl|sudo|ca-certificates)' | sed 's/^/held /'
dpkg-query -W -f '${'$'}{Package} ${'$'}{db:Status-Abbrev}\n' unattended-upgrades needrestart apparmor 2>/dev/null | sed -n 's/^\([^ ]*\) ii.*/package \1/p'
grep -qsE '^APT::Periodic::Unattended-Upgrade "[1-9]' /etc/apt/apt.conf.d/* && echo unattended on
[ -e /etc/needrestart/conf.d/tappass.conf ] && echo needrestart-kept yes
newest=$(find /var/lib/apt/lists -maxdepth 1 -name '*Release' -printf '%T@\n' | sort -n | tail -n 1); [ -z "$newest" ] || echo "lists-age $(( ($(date +%s) - ${'$'}{newest%.*}) / 86400 ))"
echo "apparmor $(cat /sys/module/apparmor/parameters/enabled)"`

const LISTS_DAYS_MAX = 14

/** Packages. */
export const packages: Topic = {
  name: 'packages',
  probe: PROBE,
  checks: [
    {
      id: 'packages.unfinished',
      what: 'no installation was cut off',
      judge: ({ probe }) =>
        none(probe.all('unfinished'), (names) =>
          fail(`dpkg was ended at ${names}`, 'sudo dpkg --configure -a   (on the host)'),
        ),
    },
    {
      id: 'packages.lock',
      what: 'nobody holds a lock of apt',
      judge: ({ probe }) =>
        none(probe.all('locked'), (locks) =>
          warn(
            `held: ${locks}; a run waits ten minutes for it`,
            'ps -e -o pid,etime,args | grep -E "apt|dpkg"   (on the host)',
          ),
        ),
    },
    {
      id: 'packages.sources',
      what: 'apt can read its sources',
      judge: ({ probe }) =>
        none(probe.all('sources'), (printed) =>
          fail(printed, 'sudo apt-get update   (on the host) says which file it is'),
        ),
    },
    {
      id: 'packages.held',
      what: 'none of what it needs is held back',
      judge: ({ probe }) =>
        none(probe.all('held'), (names) =>
          warn(
            `held: ${names}: no security update reaches them`,
            `sudo apt-mark unhold ${names.replaceAll(',', '')}   (on the host)`,
          ),
        ),
    },
    {
      id: 'packages.unattended',
      what: 'security updates come by themselves',
      judge: ({ probe }) =>
        probe.one('unattended') === 'on' && probe.all('package').includes('unattended-upgrades')
          ? ok()
          : warn(
              'unattended-upgrades is not installed, or off',
              'sudo apt-get install unattended-upgrades && sudo dpkg-reconfigure -f noninteractive unattended-upgrades   (on the host)',
            ),
    },
    {
      id: 'packages.needrestart',
      what: 'needrestart leaves our services alone',
      isInstalled: true,
      judge: ({ probe }) => {
        if (!probe.all('package').includes('needrestart')) return skip('needrestart is not installed')
        return probe.one('needrestart-kept') === 'yes'
          ? ok()
          : fail('its exception for our units is gone: an update restarts all instances at once', 'tappass bootstrap')
      },
    },
    {
      id: 'packages.lists',
      what: 'package lists are fetched now and then',
      judge: ({ probe }) => {
        if (probe.one('lists-age') === '') return skip('there are none yet')
        return probe.number('lists-age') > LISTS_DAYS_MAX
          ? warn(
              `the newest is ${probe.one('lists-age')} days old: no update is known of`,
              'systemctl status apt-daily.timer   (on the host)',
            )
          : ok()
      },
    },
    {
      id: 'packages.apparmor',
      what: 'AppArmor has its parser',
      judge: ({ probe }) =>
        probe.one('apparmor') === 'Y' && !probe.all('package').includes('apparmor')
          ? fail(
              'the kernel enforces AppArmor and its parser is missing: no container starts',
              'sudo apt-get install apparmor   (on the host)',
            )
          : ok(),
    },
  ],
}
