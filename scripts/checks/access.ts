/** Who gets onto the host, and what they may do there. */
import { ACCOUNT } from '../../contract/unit.ts'
import { fail, none, ok, skip, type Topic, warn } from '../diagnosis/check.ts'

const PROBE = String.raw`
user=$(sed -n 's/^\([A-Za-z_][A-Za-z0-9_.-]*\) ALL=(root) NOPASSWD: TAPPASS$/\1/p' /etc/sudoers.d/tappass)
if [ -n "$user" ]; then
  echo "deploy-user $user"
  getent passwd "$user" >/dev/null && echo deploy-there yes
  echo "deploy-groups $(id -nG "$user")"
  home=$(getent passwd "$user" | cut -d : -f 6)
  echo "deploy-keys $(grep -c managed-by-tappass "$home/.ssh/authorized_keys" 2>/dev/null)"
  find "$home/.ssh" -maxdepth 1 \( -perm /022 -o ! -user "$user" \) -printf 'deploy-open %p\n' -quit
  timeout 5 sudo -n -l -U "$user" | grep -E '\) (NOPASSWD: )?ALL$' | sed 's/^ */deploy-all /'
fi
sshd -T 2>/dev/null | sed -n 's/^\(passwordauthentication\|permitrootlogin\|permitemptypasswords\|port\|pubkeyauthentication\) /sshd-\1 /p'
awk -F : '$2 == "" { print "no-password " $1 }' /etc/shadow
awk -F : '$3 == 0 && $1 != "root" { print "second-root " $1 }' /etc/passwd
for account in ${Object.values(ACCOUNT).join(' ')}; do getent passwd "$account" | awk -F : '$7 !~ /(nologin|false)$/ { print "service-shell " $1 }'; done
grep -rlsE '^[^#]*NOPASSWD: *ALL' /etc/sudoers /etc/sudoers.d | sed 's/^/sudo-all /'`

const ROOT_GROUPS = ['docker', 'sudo', 'admin', 'lxd', 'wheel', 'root']

/** Access. */
export const access: Topic = {
  name: 'access',
  probe: PROBE,
  checks: [
    {
      id: 'access.deploy-user',
      what: 'the deploy user is there',
      isInstalled: true,
      judge: ({ probe }) =>
        probe.one('deploy-there') === 'yes'
          ? ok(probe.one('deploy-user'))
          : fail(
              `${probe.one('deploy-user') || 'it'} has no account, or no rules in /etc/sudoers.d/tappass`,
              'tappass bootstrap',
            ),
    },
    {
      id: 'access.deploy-groups',
      what: 'the deploy user is in no group that makes root of it',
      isInstalled: true,
      judge: ({ probe }) =>
        none(
          probe
            .one('deploy-groups')
            .split(' ')
            .filter((group) => ROOT_GROUPS.includes(group)),
          (names) => fail(`it is in ${names}`, 'tappass bootstrap'),
        ),
    },
    {
      id: 'access.deploy-rights',
      what: 'the deploy user may not run every command',
      isInstalled: true,
      judge: ({ probe }) =>
        none(probe.all('deploy-all'), (rules) =>
          fail(`a rule of somebody else: ${rules}`, 'grep -rn NOPASSWD /etc/sudoers /etc/sudoers.d   (on the host)'),
        ),
    },
    {
      id: 'access.deploy-keys',
      what: 'the deploy user can log in',
      isInstalled: true,
      judge: ({ probe, spec }) => {
        if (spec.deployUser.keys.length === 0) return skip('deployUser.keys is empty')
        return probe.number('deploy-keys') >= spec.deployUser.keys.length
          ? ok()
          : fail(
              `${probe.one('deploy-keys') || 0} of ${spec.deployUser.keys.length} keys are there`,
              'tappass bootstrap',
            )
      },
    },
    {
      id: 'access.deploy-folder',
      what: 'sshd takes the keys of the deploy user',
      isInstalled: true,
      judge: ({ probe }) =>
        none(probe.all('deploy-open'), (paths) =>
          fail(`others may write ${paths}, so sshd passes over it`, 'tappass bootstrap'),
        ),
    },
    {
      id: 'access.ssh-password',
      what: 'nobody logs in with a password',
      judge: ({ probe }) =>
        probe.one('sshd-passwordauthentication') === 'yes'
          ? warn(
              'sshd takes passwords, and everybody on the net tries some',
              'PasswordAuthentication no in /etc/ssh/sshd_config.d/   (on the host), after your key works',
            )
          : ok(),
    },
    {
      id: 'access.ssh-root',
      what: 'root does not log in with a password',
      judge: ({ probe }) =>
        probe.one('sshd-permitrootlogin') === 'yes'
          ? warn(
              'PermitRootLogin is yes',
              'PermitRootLogin prohibit-password in /etc/ssh/sshd_config.d/   (on the host)',
            )
          : ok(),
    },
    {
      id: 'access.ssh-empty',
      what: 'no empty password is taken',
      judge: ({ probe }) =>
        probe.one('sshd-permitemptypasswords') === 'yes'
          ? fail('PermitEmptyPasswords is yes', 'PermitEmptyPasswords no in /etc/ssh/sshd_config.d/   (on the host)')
          : ok(),
    },
    {
      id: 'access.no-password',
      what: 'no account is without a password',
      judge: ({ probe }) =>
        none(probe.all('no-password'), (names) =>
          fail(`an empty password: ${names}`, `sudo passwd --lock ${names.split(',')[0]}   (on the host)`),
        ),
    },
    {
      id: 'access.second-root',
      what: 'root has the number 0 alone',
      judge: ({ probe }) =>
        none(probe.all('second-root'), (names) => fail(`also root: ${names}`, 'getent passwd 0   (on the host)')),
    },
    {
      id: 'access.service-shell',
      what: 'the accounts of our services have no shell',
      isInstalled: true,
      judge: ({ probe }) =>
        none(probe.all('service-shell'), (names) =>
          fail(
            `with a shell: ${names}`,
            `sudo usermod --shell /usr/sbin/nologin ${names.split(',')[0]}   (on the host)`,
          ),
        ),
    },
    {
      id: 'access.sudo-all',
      what: 'root’s rights need a password',
      judge: ({ probe }) =>
        none(probe.all('sudo-all'), (paths) =>
          warn(
            `every command without a password: ${paths}`,
            'look at it: cloud images do that for their first user; take it away when another way in works',
          ),
        ),
    },
  ],
}
