/** What to type next about a server that is not well. */
import { gatewayInstance, UNIT } from '../../contract/unit.ts'
import { ABSENT, type Health, type UnitHealth } from './host-health.ts'

/** By condition, in the order of what explains the most. */
const CONDITION_COMMANDS: readonly (readonly [name: string, command: string])[] = [
  ['disk', 'sudo du --one-file-system --human-readable --max-depth=3 /var/lib | sort --human-numeric-sort | tail'],
  ['certificate', `journalctl -u ${UNIT.caddy} -e`],
  ['backup', `journalctl -u ${UNIT.backup} -e, then sudo systemctl start ${UNIT.backup}`],
  ['license', 'tappass license show'],
  ['check', `systemctl status ${UNIT.checkTimer}`],
  ['webhook', `journalctl -u ${UNIT.check} -e`],
  ['svid', `journalctl -u ${UNIT.check} -e`],
  ['drift', 'sudo tappass drift'],
  ['clock', 'sudo apt-get install systemd-timesyncd'],
]

/** What was never started, or not restarted since its file changed, is missing work of a run. */
function needsRun({ isHealthy, state, desiredRevision }: UnitHealth): boolean {
  return !isHealthy && (state === ABSENT || desiredRevision !== undefined)
}

/**
 * Returns the command that finds out most, for the host unless it is `bootstrap`: the command of a run on that host. Docker comes first, for
 * without it all else is down, too; a unit comes before what only its failure explains.
 */
export function nextCommand({ units, gateway, conditions }: Health, bootstrap: string): string {
  const ill = new Set(conditions.filter(({ isWell }) => !isWell).map(({ name }) => name))
  if (ill.has('docker')) return 'journalctl -u docker -e   (on the host)'
  if (units.some(needsRun)) return bootstrap
  if (ill.has('site') && ill.size === 1 && gateway === 'healthy' && units.every(({ isHealthy }) => isHealthy))
    return bootstrap
  const failed = units.find(({ isHealthy }) => !isHealthy)?.unit
  const [, command] = CONDITION_COMMANDS.find(([name]) => ill.has(name)) ?? []
  if (failed === undefined && gateway === 'healthy' && command !== undefined) return `${command}   (on the host)`
  return `journalctl -u ${failed ?? gatewayInstance(1)} -e   (on the host)`
}
