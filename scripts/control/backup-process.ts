/** The commands that run the process of backups on a host (server/backup.ts), in a sandbox of its own, with the host's secrets as credentials. */
import { GATEWAY_HOST, GATEWAY_PORT } from '../../contract/gateway.ts'
import { HOST_PATH } from '../../contract/path.ts'
import { UNIT } from '../../contract/unit.ts'
import { within } from '../core/command.ts'
import type { Command } from '../core/host.ts'
import { quote } from '../core/quoting.ts'
import { BACKUP_SECRET_IDS } from '../secrets/backup-secret.ts'
import { lockWords, nodeWords, sandboxScript } from './sandboxed-process.ts'

/** A restoration of a large database. The unit ends first, then the command that waits for it. */
const HOURS_MAX = 14

const NODE = nodeWords('server/backup.ts')

/** Those of the unit of the nightly backup; files of the operator's are read from anywhere, and a restoration moves checkpoints and restarts the gateway. */
const PROPERTIES = [
  `WorkingDirectory=${HOST_PATH.currentRelease}`,
  `RuntimeMaxSec=${(HOURS_MAX - 1) * 3600}`,
  'PrivateNetwork=yes',
  'RestrictAddressFamilies=AF_UNIX AF_INET',
  'CapabilityBoundingSet=CAP_DAC_OVERRIDE',
  'ProtectHome=read-only',
  `ReadWritePaths=${HOST_PATH.backupFolder} -${HOST_PATH.checkpointFolder} -${HOST_PATH.walFolder}`,
]

/** What a killed restoration has stopped is started, and what it had done is brought to its end. */
const SETTLE = `ExecStopPost=${lockWords(60)} ${NODE} settle`

const UNIT_FILE = `/etc/systemd/system/${UNIT.backup}`

/** What the unit of the nightly backup is told: its rule, and for a set that is made of the archive the key that secrets are sealed to. */
const TOLD: Readonly<Record<string, string>> = {
  prune: `$(sed -n 's/.*\\(--keep-daily [0-9]* --keep-weekly [0-9]*\\( --point-in-time-days [0-9]*\\)*\\).*/\\1/p' ${UNIT_FILE})`,
  restore: `$(sed -n 's/.*\\(--recovery-key [a-z0-9,]*\\).*/\\1/p' ${UNIT_FILE})`,
}

/** Returns the lines of a script that end it with 5 where there are no backups, or not this process. */
export function backupGuard(bootstrapHint: string, entry = 'server/backup.ts'): string {
  return `if ! [ -e ${HOST_PATH.currentRelease}/${entry} ] || ! [ -d ${HOST_PATH.backupFolder} ]; then
  printf 'tappass: this host has no backups\\n  next:  %s\\n' ${quote(bootstrapHint)} >&2; exit 5
fi
if [ -f ${HOST_PATH.migratedAddress} ]; then
  echo 'tappass: storage.database is external: whoever runs it backs it up, and has the way to a point in time' >&2; exit 5
fi`
}

/** Returns the command that runs an action of the process. `bootstrapHint` is the command that installs TapPass there. Exit code 4: another one is under way. */
export function backupCommand(args: readonly string[], effect: Command['effect'], bootstrapHint: string): Command {
  const isLocked = effect === 'change'
  const settled = args[0] === 'restore' && isLocked ? [SETTLE] : []
  const script = `${backupGuard(bootstrapHint)}
told=${TOLD[args[0] ?? ''] ?? ''}
${sandboxScript({
  properties: [...PROPERTIES, ...settled],
  credentialIds: isLocked || args.includes('--check') ? BACKUP_SECRET_IDS : [],
  program: isLocked ? `${lockWords()} ${NODE}` : NODE,
  words: args,
  more: '$told',
})}`
  return within(HOURS_MAX * 60, { argv: ['sh', '-s'], effect, stdin: script })
}

/** Starts the unit of the nightly backup, waits for its end, and prints what it said. Its exit code is that of the process. */
export function createBackupCommand(bootstrapHint: string): Command {
  const script = `${backupGuard(bootstrapHint)}
systemctl start ${UNIT.backup} 2>/dev/null || :
id=$(systemctl show --property=InvocationID --value ${UNIT.backup}) code=$(systemctl show --property=ExecMainStatus --value ${UNIT.backup})
journalctl --sync >/dev/null 2>&1 || :
journalctl --quiet --no-pager --output=cat _SYSTEMD_INVOCATION_ID="$id" SYSLOG_IDENTIFIER=tappass-backup
[ "$(systemctl show --property=Result --value ${UNIT.backup})" = success ] || [ "$code" != 0 ] || code=1
exit "$code"
`
  return within(HOURS_MAX * 60, { argv: ['sh', '-s'], effect: 'change', stdin: script })
}

/** How long a gateway may take to answer after a restoration: migrations may run before. */
const SERVING_SECONDS = 600

/** Waits until the gateway is healthy. Exit code 1 when it is not. */
export const untilServing: Command = within(SERVING_SECONDS / 60 + 1, {
  argv: [
    'sh',
    '-c',
    'for try in $(seq "$2"); do curl --silent --fail --max-time 5 --output /dev/null "$1" && exit 0; sleep 1; done; exit 1',
    'sh',
    `http://${GATEWAY_HOST}:${GATEWAY_PORT}/health`,
    String(SERVING_SECONDS),
  ],
  effect: 'read',
})
