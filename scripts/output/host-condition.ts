/** What a server stands on beside its units: backup, disk, certificate, clock, Docker. One question, and its judgement. */
import { type CopyRecord, judgeCopies } from '../../contract/backup-store.ts'
import { FREE_INODES_SHARE_MIN, FREE_MEGABYTES_MIN, LIFE_SHARE_MIN } from '../../contract/health-limit.ts'
import { HOST_PATH } from '../../contract/path.ts'
import { CONNECTORS, UNIT } from '../../contract/unit.ts'
import type { Fact } from '../core/host.ts'
import { judgeArchive } from './archive-condition.ts'
import { judgeBackup, type LastBackup, parseManifest } from './backup-condition.ts'
import { ageText, type Condition, type Values, valuesOf } from './condition.ts'
import { judgeDrift } from './drift-record.ts'
import { judgeDrills } from './drill-table.ts'

/** All conditions, and the newest backup that counts. */
export type HostConditions = Readonly<{ conditions: readonly Condition[]; lastBackup: LastBackup | undefined }>

/**
 * Prints NAME=VALUE lines, a name once for each disk. `$1` the folder of backups, `$2` the database, `$3` Caddy's settings, `$4` the timer and
 * `$5` the service of the backup, `$6` the folder of the check, `$7` that of the site, `$8` that of the look for drift, `$9` the log of runs; the rest are paths whose disks count. Nothing in it waits longer than five seconds.
 */
const SCRIPT = String.raw`
backups=$1 cluster=$2 caddy=$3 timer=$4 service=$5 check=$6 site=$7 drift=$8 history=$9; shift 9
echo "NOW=$(date +%s)"
for name in $(ls -1 "$backups" 2>/dev/null | sed -n 's/^\(tappass-[0-9]*T[0-9]*Z\)\(\.json\)*$/\1/p' | sort -ru); do
  if [ -d "$backups/$name" ]; then manifest=$backups/$name/manifest.json proof=$backups/$name/verified.json dump=$backups/$name/database.dump
  else manifest=$backups/$name.json proof=$manifest dump=$backups/$name.dump; fi
  if [ ! -f "$proof" ]; then echo "UNPROVEN=$name"; continue; fi
  echo "BACKUP=$(tr -d '\n' <"$manifest")"; echo "PROOF=$(tr -d '\n' <"$proof")"
  echo "DUMP_BYTES=$(stat -c %s -- "$dump" 2>/dev/null)"; break
done
echo "DUE=$(systemctl show --timestamp=unix -p LastTriggerUSec --value "$timer" 2>/dev/null)"
echo "RUNNING=$(systemctl show -p ActiveState --value "$service" 2>/dev/null)"
echo "DATABASE=$(stat -c %Y -- "$cluster/PG_VERSION" 2>/dev/null)"
df -Pk -- "$@" 2>/dev/null | sed -n '2,$s/^/DISK=/p'
df -Pi -- "$@" 2>/dev/null | sed -n '2,$s/^/INODES=/p'
name=$(sed -n 's/^TAPPASS_NAME=//p' "$caddy" 2>/dev/null) port=$(sed -n 's/^TAPPASS_HTTPS_PORT=//p' "$caddy" 2>/dev/null)
timeout 5 openssl s_client -connect "127.0.0.1:${'$'}{port:-443}" ${'$'}{name:+-servername "$name"} </dev/null 2>/dev/null |
  openssl x509 -noout -startdate -enddate 2>/dev/null | sed 's/^/CERTIFICATE_/'
for number in $(seq ${CONNECTORS}); do
  echo "CONNECTOR=$number $(curl -s --max-time 1 "http://127.0.0.1:2024$number/ready")"
done
if systemd-detect-virt --quiet --container 2>/dev/null; then echo CLOCK=container
else echo "CLOCK=$(timeout 5 timedatectl show -p NTPSynchronized --value 2>/dev/null)"; fi
docker=$(timeout 5 docker version --format '{{.Server.Version}}' 2>&1) && echo "DOCKER=$docker" ||
  echo "DOCKER_PROBLEM=$(printf '%s' "${'$'}{docker:-no answer within 5 s}" | tail -n 1)"
[ ! -f "$site/current/index.html" ] || echo "SITE=$(readlink -- "$site/current")"
[ ! -f ${HOST_PATH.backupStoreSettings} ] || echo "COPIES=$(cat ${HOST_PATH.backupCopyFolder}/last.json 2>/dev/null | tr -d '\n')"
timeout 5 docker exec tappass-postgres psql -qAt --host /tappass/run --username postgres \
  --command "SELECT 'EARLIER=' || datname FROM pg_database WHERE datname LIKE 'tappass\_before\_%' ORDER BY 1" 2>/dev/null
if grep -q 'archive_mode=on' /etc/systemd/system/${UNIT.postgres} 2>/dev/null; then
  echo ARCHIVE=on; ls -1 "$backups" 2>/dev/null | sed -n 's/^base-/ARCHIVE_BASE=base-/p'; sed 's/^/ARCHIVE_GAP=/' ${HOST_PATH.walGap} 2>/dev/null
  find "$cluster/pg_wal/archive_status" -name '*.ready' -printf 'ARCHIVE_WAITS=%Ts\n' 2>/dev/null | sort | head -n 1
fi
[ ! -f "$check/last.json" ] || echo "CHECK=$(tr -d '\n' <"$check/last.json")"
if [ -f "$drift/last.json" ]; then
  echo "DRIFT=$(tr -d '\n' <"$drift/last.json")"
  echo "HEAD=$(ls -1 "$history/entries" 2>/dev/null | tail -n 1)"
fi
tail -n 100 ${HOST_PATH.drillFolder}/log.jsonl 2>/dev/null | sed 's/^/DRILL=/'
[ ! -e /run/reboot-required ] || echo REBOOT=required
exit 0`

/** Asks for everything at once, in one process. */
export const conditionsFact: Fact<HostConditions> = {
  query: {
    argv: [
      'sh',
      ...['-c', SCRIPT, 'sh', HOST_PATH.backupFolder, HOST_PATH.postgresCluster, HOST_PATH.caddyEnvironment],
      ...[
        UNIT.backupTimer,
        UNIT.backup,
        HOST_PATH.checkFolder,
        HOST_PATH.siteFolder,
        HOST_PATH.driftFolder,
        HOST_PATH.historyFolder,
        '/',
        HOST_PATH.programFolder,
        HOST_PATH.stateFolder,
        '/var/lib/docker',
      ],
    ],
    effect: 'read',
  },
  parse: ({ stdout }) => judgeConditions(stdout),
}

/** A line of `df -P`: size, used, free, share, and where it is mounted. */
function diskOf(line: string): Readonly<{ size: number; free: number; mount: string }> {
  const [, size = '', , free = '', , ...mount] = line.split(/\s+/)
  return { size: Number(size), free: Number(free), mount: mount.join(' ') }
}

function judgeDisks({ all }: Values): readonly Condition[] {
  const inodes = new Map(all('INODES').map((line) => [diskOf(line).mount, diskOf(line)]))
  const disks = new Map(all('DISK').map((line) => [diskOf(line).mount, diskOf(line)]))
  return [...disks.values()].map(({ free, mount }) => {
    const megabytes = Math.floor(free / 1024)
    const { size: inodesMax = 0, free: inodesFree = 0 } = inodes.get(mount) ?? {}
    const areInodesShort = inodesMax > 0 && inodesFree < inodesMax * FREE_INODES_SHARE_MIN
    const state = `${mount}: ${megabytes} MB free${areInodesShort ? `, only ${inodesFree} inodes` : ''}`
    return { name: 'disk', state, isWell: megabytes >= FREE_MEGABYTES_MIN && !areInodesShort }
  })
}

function judgeCertificate({ one }: Values): Condition {
  const [from, until] = ['CERTIFICATE_notBefore', 'CERTIFICATE_notAfter'].map(
    (name) => Date.parse(one(name)) / 1000,
  ) as [number, number]
  if (!(until > from)) return { name: 'certificate', state: 'none: nothing answers with TLS', isWell: false }
  const left = until - Number(one('NOW'))
  const state = left > 0 ? `${ageText(left)} left` : `expired ${ageText(-left)} ago`
  const isWell = left >= (until - from) * LIFE_SHARE_MIN
  return { name: 'certificate', state: isWell || left <= 0 ? state : `${state}: it was not renewed in time`, isWell }
}

function judgeClock({ one }: Values): Condition {
  const state = { container: 'kept by the machine that this container runs on', yes: 'synchronised' }[one('CLOCK')]
  return {
    name: 'clock',
    state: state ?? 'not synchronised: install and start a time service',
    isWell: state !== undefined,
  }
}

function judgeDocker({ one }: Values): Condition {
  const version = one('DOCKER')
  return { name: 'docker', state: version || one('DOCKER_PROBLEM') || 'no answer', isWell: version !== '' }
}

/** A connector says of itself how many connections to the edge it has. */
function judgeTunnel({ all }: Values): Condition {
  const counts = all('CONNECTOR').map((answer) => Number(/"readyConnections":(\d+)/.exec(answer)?.[1] ?? 0))
  const connected = counts.filter((count) => count > 0)
  const connections = counts.reduce((sum, count) => sum + count, 0)
  const state = `${connected.length} of ${CONNECTORS} connectors, ${connections} connections to the edge`
  return { name: 'tunnel', state, isWell: connected.length === CONNECTORS }
}

function judgeSite({ one }: Values): Condition {
  const build = one('SITE').split('/').at(-1) ?? ''
  return { name: 'site', state: build || 'none: the documentation was not built', isWell: build !== '' }
}

/** Copies of backups, where the settings ask for them. What is told ahead is no fault yet. */
function judgeCopy({ one, all }: Values): readonly Condition[] {
  if (all('COPIES').length === 0) return []
  try {
    const record = one('COPIES') === '' ? undefined : (JSON.parse(one('COPIES')) as CopyRecord)
    const { level, state } = judgeCopies(record, Number(one('NOW')) * 1000)
    return [{ name: 'backup-copy', state, isWell: level !== 'failed' }]
  } catch {
    return [{ name: 'backup-copy', state: 'its record cannot be read', isWell: false }]
  }
}

type CheckFinding = Readonly<{ check: string; subject: string; level: string; state: string }>

/** Twice the time between two checks, and an hour. */
const CHECK_SECONDS_MAX = 2 * 86_400 + 3600

/** What the script itself asks for is newer than the check's. */
const ASKED_BY_ITSELF: readonly string[] = ['certificate', 'disk', 'backup-copy']

/** What the last check of the timer says of the rest: the license, secrets, identities, the webhook. What is well of them is no line. */
function judgeCheck({ one }: Values): readonly Condition[] {
  if (one('CHECK') === '') return []
  try {
    const { at, findings } = JSON.parse(one('CHECK')) as { at: string; findings: readonly CheckFinding[] }
    const seconds = Number(one('NOW')) - Date.parse(at) / 1000
    const shown = findings.filter(
      ({ check, level }) => !ASKED_BY_ITSELF.includes(check) && (level !== 'ok' || check === 'license'),
    )
    return [
      { name: 'check', state: `${ageText(seconds)} ago`, isWell: seconds < CHECK_SECONDS_MAX },
      // What is told ahead needs somebody, but nothing is down.
      ...shown.map(({ check, subject, level, state }) => ({
        name: check,
        state: `${subject}: ${state}`,
        isWell: level !== 'failed',
      })),
    ]
  } catch {
    return [{ name: 'check', state: 'what it has found cannot be read', isWell: false }]
  }
}

/** Returns the conditions from what the script prints. Times are compared with the clock of the host itself. */
export function judgeConditions(text: string): HostConditions {
  const values = valuesOf(text)
  const lastBackup = parseManifest(values.one('BACKUP'))
  const conditions = [
    judgeBackup(values, lastBackup),
    ...judgeArchive(values),
    // Kept on purpose: nothing is worse for it but the disk.
    ...values
      .all('EARLIER')
      .map((name) => ({ name: 'earlier-database', state: `${name}: kept from before a restoration`, isWell: true })),
    ...judgeCopy(values),
    ...judgeDisks(values),
    judgeCertificate(values),
    judgeTunnel(values),
    judgeClock(values),
    judgeDocker(values),
    judgeSite(values),
    ...judgeCheck(values),
    ...judgeDrift(values.one('DRIFT'), values.one('HEAD'), Number(values.one('NOW'))),
    ...judgeDrills(values.all('DRILL')),
    // Updates of the distribution wait for it; nothing of ours is worse for that.
    ...(values.one('REBOOT') === '' ? [] : [{ name: 'reboot', state: 'required by updates', isWell: true }]),
  ]
  return { conditions, lastBackup }
}
