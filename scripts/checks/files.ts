/** What we laid down: who owns it and who may write it. */
import { HOST_PATH } from '../../contract/path.ts'
import { type Check, fail, none, ofContainer, ok, skip, type Topic } from '../diagnosis/check.ts'

const SUDOERS = '/etc/sudoers.d/tappass'

/** Paths of which owner and mode are bounds: nobody else may do more than these bits. */
const BOUNDS = [
  {
    id: 'files.config',
    what: 'settings are written by root alone',
    path: HOST_PATH.configFolder,
    owner: 'root',
    mode: '0755',
  },
  {
    id: 'files.settings',
    what: 'the settings of the host are there, and root’s',
    path: HOST_PATH.settings,
    owner: 'root',
    mode: '0644',
  },
  { id: 'files.sudoers', what: 'the rules of sudo are root’s', path: SUDOERS, owner: 'root', mode: '0440' },
  {
    id: 'files.programs',
    what: 'programs are written by root alone',
    path: HOST_PATH.programFolder,
    owner: 'root',
    mode: '0755',
  },
  {
    id: 'files.state',
    what: 'the folder of the data is root’s',
    path: HOST_PATH.stateFolder,
    owner: 'root',
    mode: '0755',
  },
  {
    id: 'files.backups',
    what: 'backups are read by root alone',
    path: HOST_PATH.backupFolder,
    owner: 'root',
    mode: '0700',
  },
  {
    id: 'files.cluster',
    what: 'the database’s files are read by the database alone',
    path: HOST_PATH.postgresCluster,
    owner: '',
    mode: '0700',
  },
] as const

const PROBE = String.raw`
for path in ${[...BOUNDS.map(({ path }) => path), HOST_PATH.currentRelease, HOST_PATH.command].join(' ')}; do
  stat -c 'stat %n %U %04a' -- "$path" || echo "stat $path absent"
done
find ${HOST_PATH.releasesFolder} ${HOST_PATH.nodeFolder} ${HOST_PATH.caddyFolder} -maxdepth 3 ! -type l \( -perm /022 -o ! -user root \) -printf 'writable %p\n' -quit
find ${HOST_PATH.backupFolder} -type f -perm /077 -printf 'open-backup %f\n' -quit
find /etc/systemd/system -maxdepth 1 -name 'tappass*' -type f \( -perm /022 -o ! -user root \) -printf 'open-unit %f\n'
command -v visudo >/dev/null && { visudo -c >/dev/null 2>&1 && echo sudoers valid || echo "sudoers $(visudo -c 2>&1 | head -n 1)"; }
[ -x "$(readlink -f ${HOST_PATH.command})" ] && echo command yes || echo command no
find ${HOST_PATH.configFolder} ${HOST_PATH.programFolder} -maxdepth 2 -name '*.tappass-new' -printf 'left %p\n'`

/** A host whose database is elsewhere need not have them. */
const OF_DATABASE: readonly string[] = ['files.backups', 'files.cluster']

function bound({ id, what, path, owner, mode }: (typeof BOUNDS)[number]): Check {
  return {
    id,
    what,
    isInstalled: true,
    judge: ({ probe }) => {
      const [, found = 'absent', bits = '0000'] = (
        probe.all('stat').find((row) => row.startsWith(`${path} `)) ?? ''
      ).split(' ')
      if (found === 'absent') return fail(`${path} is absent`, 'tappass bootstrap')
      if (owner !== '' && found !== owner)
        return fail(`${path} belongs to ${found}, not to ${owner}`, 'tappass bootstrap')
      const more = Number.parseInt(bits, 8) & ~Number.parseInt(mode, 8)
      return more === 0 ? ok() : fail(`the mode of ${path} is ${bits}, more than ${mode}`, 'tappass bootstrap')
    },
  }
}

/** Files and folders. */
export const files: Topic = {
  name: 'files',
  probe: PROBE,
  checks: [
    ...BOUNDS.filter(({ id }) => !OF_DATABASE.includes(id)).map(bound),
    ...ofContainer('database', BOUNDS.filter(({ id }) => OF_DATABASE.includes(id)).map(bound)),
    {
      id: 'files.writable-program',
      what: 'no program of ours is writable by others',
      isInstalled: true,
      judge: ({ probe }) =>
        none(probe.all('writable'), (paths) =>
          fail(`${paths} is writable by others, or not root’s`, 'tappass bootstrap'),
        ),
    },
    {
      id: 'files.open-backup',
      what: 'no backup is readable by others',
      isInstalled: true,
      judge: ({ probe }) =>
        none(probe.all('open-backup'), (names) =>
          fail(`others may read ${names}`, `sudo chmod go= ${HOST_PATH.backupFolder}/*   (on the host)`),
        ),
    },
    {
      id: 'files.units',
      what: 'our units are written by root alone',
      isInstalled: true,
      judge: ({ probe }) =>
        none(probe.all('open-unit'), (names) =>
          fail(`others may write ${names}, and become root with it`, 'tappass bootstrap'),
        ),
    },
    {
      id: 'files.sudoers-valid',
      what: 'sudo understands all its files',
      judge: ({ probe }) => {
        const printed = probe.one('sudoers')
        if (printed === '') return skip('sudo is not installed')
        return printed === 'valid' ? ok() : fail(printed, 'sudo visudo -c   (on the host)')
      },
    },
    {
      id: 'files.command',
      what: 'the command on the PATH leads to the release in force',
      isInstalled: true,
      judge: ({ probe }) =>
        probe.one('command') === 'yes' ? ok() : fail(`${HOST_PATH.command} leads nowhere`, 'tappass bootstrap'),
    },
    {
      id: 'files.left',
      what: 'no run has left anything half written',
      isInstalled: true,
      judge: ({ probe }) =>
        none(probe.all('left'), (paths) => fail(`left by a run that was ended: ${paths}`, 'tappass bootstrap')),
    },
    {
      id: 'files.drift',
      what: 'the host is as its last run left it, by the last check for drift',
      isInstalled: true,
      judge: ({ health }) => {
        const found = health.conditions.filter(({ name }) => name === 'drift')
        if (found.length === 0) return skip('there was no check yet, or drift.check is off')
        return none(
          found.filter(({ isWell }) => !isWell).map(({ state }) => state),
          (states) => fail(states, 'sudo tappass drift --repair   (on the host)'),
        )
      },
    },
  ],
}
