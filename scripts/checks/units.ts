/** Our units: as they are wanted, as we wrote them, and with room to move. */
import { gatewayInstance, UNIT } from '../../contract/unit.ts'
import { fail, none, ok, skip, type Topic, warn } from '../diagnosis/check.ts'

const RESTARTS_MAX = 5
const MEMORY_SHARE_MAX = 0.9
const HANDLES_MIN = 4096

const PROBE = String.raw`
systemctl list-units --all --plain --no-legend --no-pager 'tappass*' | while read -r unit _; do
  systemctl show -p Id,LoadState,ActiveState,NeedDaemonReload,NRestarts,MemoryCurrent,MemoryMax,DropInPaths,FragmentPath,LimitNOFILE,UnitFileState "$unit" | {
    while IFS== read -r key value; do
      case $key in
        Id) id=$value ;; LoadState) load=$value ;; NeedDaemonReload) reload=$value ;; NRestarts) restarts=$value ;;
        MemoryCurrent) memory=$value ;; MemoryMax) most=$value ;; DropInPaths) drops=$value ;; LimitNOFILE) handles=$value ;; UnitFileState) enabled=$value ;;
      esac
    done
    [ "$load" != masked ] || echo "masked $id"
    [ "$reload" != yes ] || echo "unread $id"
    [ "${'$'}{restarts:-0}" -le ${RESTARTS_MAX} ] || echo "restarts $id $restarts"
    case $memory$most in *[!0-9]* | '') ;; *) echo "memory $id $memory $most" ;; esac
    for drop in $drops; do case $drop in */tappass.conf | /run/systemd/* | /usr/lib/*) ;; *) echo "override $drop" ;; esac; done
    [ "$id" != ${gatewayInstance(1)} ] || echo "handles $handles"
    [ "$id" != ${UNIT.target} ] || echo "enabled $enabled"
  }
done
grep -lsE ' \(deleted\)$' /proc/[0-9]*/maps | while IFS=/ read -r _ _ pid _; do
  grep -qE '(\.so[.0-9]*|/node) \(deleted\)$' "/proc/$pid/maps" && sed -n 's|.*/\(tappass[^/]*\.service\)$|replaced \1|p' "/proc/$pid/cgroup"
done | sort -u
echo "next-backup $(systemctl show -p NextElapseUSecRealtime --value ${UNIT.backupTimer})"
systemctl is-failed --quiet ${UNIT.migrate} && echo "migrate-unit failed"
ls /run/systemd/system/tappass-migrate-next.service | sed 's/^/migration-left /'`

/** Units. */
export const units: Topic = {
  name: 'units',
  probe: PROBE,
  checks: [
    {
      id: 'units.running',
      what: 'every unit that is wanted runs',
      isInstalled: true,
      judge: ({ health }) =>
        none(
          health.units
            .filter(({ isHealthy, desiredRevision }) => !isHealthy && desiredRevision === undefined)
            .map(({ unit, state }) => `${unit} (${state})`),
          (names) => fail(names, `tappass logs --lines 50; journalctl -u ${names.split(' ')[0]} -e   (on the host)`),
        ),
    },
    {
      id: 'units.revision',
      what: 'every unit runs what its file says',
      isInstalled: true,
      judge: ({ health }) =>
        none(
          health.units
            .filter(({ desiredRevision }) => desiredRevision !== undefined)
            .map(({ unit, revision, desiredRevision }) => `${unit} runs ${revision}, not ${desiredRevision}`),
          (names) => fail(names, 'tappass bootstrap'),
        ),
    },
    {
      id: 'units.surplus',
      what: 'nothing runs that is not in the settings',
      isInstalled: true,
      judge: ({ health }) =>
        none(
          health.units
            .filter(({ isDesired, state }) => !isDesired && state.startsWith('active'))
            .map(({ unit }) => unit),
          (names) => warn(`not in the settings: ${names}`, 'tappass plan'),
        ),
    },
    {
      id: 'units.masked',
      what: 'none of our units is masked',
      isInstalled: true,
      judge: ({ probe }) =>
        none(probe.all('masked'), (names) =>
          fail(
            `masked: ${names}`,
            `sudo systemctl unmask ${names.split(',')[0]}   (on the host); then tappass bootstrap`,
          ),
        ),
    },
    {
      id: 'units.override',
      what: 'nobody has changed our units by a drop-in',
      isInstalled: true,
      judge: ({ probe }) =>
        none(probe.all('override'), (paths) =>
          warn(`not ours: ${paths}`, `systemctl cat 'tappass*'   (on the host) shows what it changes`),
        ),
    },
    {
      id: 'units.unread',
      what: 'systemd knows what the files say',
      isInstalled: true,
      judge: ({ probe }) =>
        none(probe.all('unread'), (names) => fail(`changed on disk: ${names}`, 'tappass bootstrap')),
    },
    {
      id: 'units.restarts',
      what: 'no service ends again and again',
      isInstalled: true,
      judge: ({ probe }) =>
        none(
          probe.all('restarts').map((row) => row.replace(/ (\d+)$/, ' ($1 times)')),
          (names) => warn(`started again by itself: ${names}`, `tappass logs --since 1d`),
        ),
    },
    {
      id: 'units.memory',
      what: 'no service is near its limit of memory',
      isInstalled: true,
      judge: ({ probe }) => {
        const near = probe.all('memory').filter((row) => {
          const [, current, most] = row.split(' ').map(Number) as [number, number, number]
          return current > most * MEMORY_SHARE_MAX
        })
        return none(
          near.map((row) => row.split(' ')[0] ?? ''),
          (names) => warn(`more than nine tenths: ${names}`, 'give it more memory, or fewer instances, in host.yaml'),
        )
      },
    },
    {
      id: 'units.handles',
      what: 'an instance may open enough files',
      isInstalled: true,
      judge: ({ probe }) => {
        if (!/^\d+$/.test(probe.one('handles'))) return skip('no instance is loaded')
        return probe.number('handles') < HANDLES_MIN
          ? fail(
              `LimitNOFILE is ${probe.one('handles')}, less than ${HANDLES_MIN}: many streams at once are refused`,
              'systemctl show -p LimitNOFILE tappass@1   (on the host), and look for DefaultLimitNOFILE in /etc/systemd',
            )
          : ok()
      },
    },
    {
      id: 'units.enabled',
      what: 'everything starts with the machine',
      isInstalled: true,
      judge: ({ probe }) =>
        probe.one('enabled') === 'enabled'
          ? ok()
          : fail(`${UNIT.target} is ${probe.one('enabled') || 'not there'}`, 'tappass bootstrap'),
    },
    {
      id: 'units.libraries',
      what: 'no service uses libraries that were replaced',
      isInstalled: true,
      judge: ({ probe }) =>
        none(probe.all('replaced'), (names) =>
          warn(
            `after an update still with the old ones: ${names}`,
            'tappass bootstrap restarts them one after the other',
          ),
        ),
    },
    {
      id: 'units.timer',
      what: 'the next backup has a time',
      isInstalled: true,
      judge: ({ probe }) =>
        probe.one('next-backup') === '' || probe.one('next-backup') === 'n/a'
          ? fail(`${UNIT.backupTimer} is never due`, 'tappass bootstrap')
          : ok(probe.one('next-backup')),
    },
    {
      id: 'units.migration',
      what: 'migrations have ended well',
      isInstalled: true,
      judge: ({ probe }) =>
        probe.one('migrate-unit') === 'failed' || probe.one('migration-left') !== ''
          ? fail('they failed, or a run was ended in the middle', 'tappass migrate status; tappass logs migrate')
          : ok(),
    },
  ],
}
