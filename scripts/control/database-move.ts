/** The commands that run the process on a host which moves its data to a database elsewhere (server/move.ts), with the addresses as credentials. */
import { HOST_PATH } from '../../contract/path.ts'
import { STORAGE_CREDENTIAL, type StorageCredentialId } from '../../contract/storage.ts'
import { within } from '../core/command.ts'
import type { Command } from '../core/host.ts'
import { quote } from '../core/quoting.ts'
import { BACKUP_SECRET_IDS } from '../secrets/backup-secret.ts'
import { credentialPaths } from '../secrets/credential.ts'

/** `move` copies the data, `return` goes back to the host's own database, `open` lets the gateway into it again. */
export type MoveAction = 'move' | 'return' | 'open'

/** A large database. The unit ends first, then the command that waits for it. */
const HOURS_MAX = 12

/** Backups and restorations use the same database: one at a time. */
const LOCK = `/usr/bin/flock --exclusive --wait 600 --conflict-exit-code 4 --no-fork ${HOST_PATH.backupFolder}/.lock`
const NODE = `${HOST_PATH.nodeProgram} --disable-warning=ExperimentalWarning server/move.ts`

const ADDRESS_IDS: readonly StorageCredentialId[] = [
  STORAGE_CREDENTIAL.DATABASE_URL,
  STORAGE_CREDENTIAL.DATABASE_OWNER_URL,
  STORAGE_CREDENTIAL.DATABASE_CA,
]

/** Root, because Docker's socket is root's; without any capability but the one that reads the folders of other accounts. */
const PROPERTIES = [
  `Environment=DOCKER_CONFIG=${HOST_PATH.dockerConfigFolder}`,
  `RuntimeMaxSec=${(HOURS_MAX - 1) * 3600}`,
  'UMask=0077',
  'LimitCORE=0',
  'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX',
  'NoNewPrivileges=yes',
  'CapabilityBoundingSet=CAP_DAC_OVERRIDE',
  'ProtectSystem=strict',
  'ProtectHome=yes',
  'PrivateTmp=yes',
  `ReadWritePaths=${HOST_PATH.backupFolder} ${HOST_PATH.stateFolder}`,
]

function credentialScript(id: string): string {
  const [encrypted, plain] = credentialPaths(id)
  return `if [ -e ${quote(encrypted)} ]; then set -- "$@" --property=LoadCredentialEncrypted=${id}:${encrypted}
elif [ -e ${quote(plain)} ]; then set -- "$@" --property=LoadCredential=${id}:${plain}; fi`
}

/** Returns the command that runs an action of the process, of the release in that folder. */
export function moveCommand(action: MoveAction, folder: string): Command {
  // What a killed one has stopped is started again.
  const settled = action === 'move' ? [`ExecStopPost=${LOCK} ${NODE} settle`] : []
  const properties = [`WorkingDirectory=${folder}`, ...PROPERTIES, ...settled]
  const script = `mkdir -p -m 0700 ${HOST_PATH.backupFolder}
set --
${[...BACKUP_SECRET_IDS, ...ADDRESS_IDS].map(credentialScript).join('\n')}
exec systemd-run --quiet --pipe --wait --collect --service-type=exec \\
  ${properties.map((property) => `--property=${quote(property)}`).join(' ')} "$@" \\
  /bin/sh -c ${quote(`exec ${LOCK} ${NODE} "$1" --credentials "$CREDENTIALS_DIRECTORY"`)} sh ${action} </dev/null
`
  return within(HOURS_MAX * 60, { argv: ['sh', '-s'], effect: 'change', stdin: script })
}
