/** The commands that run the process of drills on a host (server/drill.ts), in a sandbox of its own, with the host's secrets as credentials. */
import { HOST_PATH } from '../../contract/path.ts'
import { within } from '../core/command.ts'
import type { Command } from '../core/host.ts'
import { quote } from '../core/quoting.ts'
import { BACKUP_SECRET_IDS } from '../secrets/backup-secret.ts'
import { BACKUP_LOCK, backupGuard, credentialProperty } from './backup-process.ts'

const ENTRY = 'server/drill.ts'
const NODE = `${HOST_PATH.nodeProgram} --disable-warning=ExperimentalWarning ${ENTRY}`

/** A restoration of a large database, twice. The unit ends first, then the command that waits for it. */
const HOURS_MAX = 14

/** A drill that is killed leaves a container. */
const CLEAR = `ExecStopPost=-/bin/sh -c 'docker rm --force --volumes tappass-drill >/dev/null 2>&1'`

/** As the unit of the monthly ones. One that touches the service calls it over loopback, and ends processes through systemd and Docker. */
function propertiesOf(isService: boolean): readonly string[] {
  return [
    `WorkingDirectory=${HOST_PATH.currentRelease}`,
    `Environment=DOCKER_CONFIG=${HOST_PATH.dockerConfigFolder}`,
    `RuntimeMaxSec=${(HOURS_MAX - 1) * 3600}`,
    'LimitCORE=0',
    ...(isService ? ['IPAddressDeny=any', 'IPAddressAllow=localhost'] : ['PrivateNetwork=yes']),
    'RestrictAddressFamilies=AF_UNIX AF_INET',
    'NoNewPrivileges=yes',
    'CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE',
    'ProtectSystem=strict',
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
  const lock = `/usr/bin/flock --exclusive --nonblock --conflict-exit-code 4 --no-fork ${BACKUP_LOCK}`
  const words = [name, ...(isJson ? ['--json'] : [])]
  const script = `${backupGuard(bootstrapHint, ENTRY)}
set --
${BACKUP_SECRET_IDS.map(credentialProperty).join('\n')}
exec systemd-run --quiet --pipe --wait --collect --service-type=exec \\
  ${propertiesOf(isService)
    .map((property) => `--property=${quote(property)}`)
    .join(' ')} "$@" \\
  /bin/sh -c ${quote(`exec ${lock} ${NODE} "$@" --credentials "$CREDENTIALS_DIRECTORY"`)} sh ${words.map(quote).join(' ')} </dev/null
`
  return within(HOURS_MAX * 60, { argv: ['sh', '-s'], effect: 'change', stdin: script })
}
