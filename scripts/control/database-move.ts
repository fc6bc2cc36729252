/** The commands that run the process on a host which moves its data to a database elsewhere and back (server/move.ts), with the addresses as credentials. */
import { HOST_PATH } from '../../contract/path.ts'
import { STORAGE_CREDENTIAL, type StorageCredentialId } from '../../contract/storage.ts'
import { within } from '../core/command.ts'
import type { Command } from '../core/host.ts'
import { BACKUP_SECRET_IDS } from '../secrets/backup-secret.ts'
import { lockWords, nodeWords, sandboxScript } from './sandboxed-process.ts'

/**
 * `move` copies the data to the database elsewhere, `bring` from there, `return` goes back to the one of before, `open` lets the gateway into the host's own again, `forget` removes
 * what was noted of the last move.
 */
export type MoveAction = 'move' | 'bring' | 'return' | 'open' | 'forget'

/** A large database. The unit ends first, then the command that waits for it. */
const HOURS_MAX = 12

/** Backups and restorations use the same database: one at a time. */
const LOCKED = `${lockWords(600)} ${nodeWords('server/move.ts')}`

const ADDRESS_IDS: readonly StorageCredentialId[] = [
  STORAGE_CREDENTIAL.DATABASE_URL,
  STORAGE_CREDENTIAL.DATABASE_OWNER_URL,
  STORAGE_CREDENTIAL.DATABASE_CA,
]

/** Root, because Docker's socket is root's; without any capability but the one that reads the folders of other accounts. */
const PROPERTIES = [
  `RuntimeMaxSec=${(HOURS_MAX - 1) * 3600}`,
  'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX',
  'CapabilityBoundingSet=CAP_DAC_OVERRIDE',
  'ProtectHome=yes',
  'PrivateTmp=yes',
  `ReadWritePaths=${HOST_PATH.backupFolder} ${HOST_PATH.stateFolder}`,
]

/** Returns the command that runs an action of the process, of the release in that folder. */
export function moveCommand(action: MoveAction, folder: string): Command {
  // What a killed one has stopped is started again.
  const settled = action === 'move' || action === 'bring' ? [`ExecStopPost=${LOCKED} settle`] : []
  const script = `mkdir -p -m 0700 ${HOST_PATH.backupFolder}
${sandboxScript({
  properties: [`WorkingDirectory=${folder}`, ...PROPERTIES, ...settled],
  credentialIds: [...BACKUP_SECRET_IDS, ...ADDRESS_IDS],
  program: LOCKED,
  words: [action],
})}`
  return within(HOURS_MAX * 60, { argv: ['sh', '-s'], effect: 'change', stdin: script })
}
