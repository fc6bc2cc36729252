/** The commands that run the process of drills on a host (server/drill.ts), in a sandbox of its own, with the host's secrets as credentials. */
import { HOST_PATH } from '../../contract/path.ts'
import { within } from '../core/command.ts'
import type { Command } from '../core/host.ts'
import { BACKUP_SECRET_IDS } from '../secrets/backup-secret.ts'
import { backupGuard } from './backup-process.ts'
import { lockWords, nodeWords, sandboxScript } from './sandboxed-process.ts'

const ENTRY = 'server/drill.ts'
const NODE = nodeWords(ENTRY)

/** A restoration of a large database, twice. The unit ends first, then the command that waits for it. */
const HOURS_MAX = 14

/** A drill that is killed leaves a container. */
const CLEAR = `ExecStopPost=-/bin/sh -c 'docker rm --force --volumes tappass-drill >/dev/null 2>&1'`

/** As the unit of the monthly ones. One that touches the service calls it over loopback, and ends processes through systemd and Docker. */
function propertiesOf(isService: boolean): readonly string[] {
  return [
    `WorkingDirectory=${HOST_PATH.currentRelease}`,
    `RuntimeMaxSec=${(HOURS_MAX - 1) * 3600}`,
    ...(isService ? ['IPAddressDeny=any', 'IPAddressAllow=localhost'] : ['PrivateNetwork=yes']),
    'RestrictAddressFamilies=AF_UNIX AF_INET',
    'CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE',
    'ProtectHome=yes',
    `ReadWritePaths=${HOST_PATH.drillFolder} ${HOST_PATH.backupFolder}`,
    CLEAR,
  ]
}

/** Returns the command that prints the drills of the host's release with their last figures, as JSON. `bootstrapHint` is the command that installs TapPass there. */
export function listDrillsCommand(bootstrapHint: string): Command {
  const script = `${backupGuard(bootstrapHint, ENTRY)}
cd ${HOST_PATH.currentRelease} && exec ${NODE} list </dev/null
`
  return { argv: ['sh', '-s'], effect: 'read', stdin: script }
}

/** Returns the command that does a drill. Exit code 4: a backup, a restoration or another drill is under way. */
export function drillCommand(name: string, isService: boolean, isJson: boolean, bootstrapHint: string): Command {
  const script = `${backupGuard(bootstrapHint, ENTRY)}
${sandboxScript({
  properties: propertiesOf(isService),
  credentialIds: BACKUP_SECRET_IDS,
  program: `${lockWords()} ${NODE}`,
  words: [name, ...(isJson ? ['--json'] : [])],
})}`
  return within(HOURS_MAX * 60, { argv: ['sh', '-s'], effect: 'change', stdin: script })
}
