/** The health of a host: its units, its gateway, the current release, and the last backup. */

import { GATEWAY_HOST, GATEWAY_PORT } from '../../contract/gateway.ts'
import { HOST_PATH } from '../../contract/path.ts'
import { UNIT } from '../../contract/unit.ts'
import type { Fact, GetFact } from '../core/host.ts'
import { targetFact } from '../facts/path.ts'
import { type UnitState, unitsFact } from '../facts/unit.ts'
import { renderTable } from './text-table.ts'

/** `takenAt` is ISO time; `bytes` is the size of the dump. */
export type LastBackup = Readonly<{ takenAt: string; bytes: number }>

/** `since` is ISO time, empty for a unit that never ran. `isHealthy`: it is active, or a oneshot that succeeded. */
export type UnitHealth = Readonly<{ unit: string; state: string; isHealthy: boolean; since: string; revision: string }>

/** `gateway` is the status from /health (`healthy`), or why there was no response. */
export type Health = Readonly<{
  isHealthy: boolean
  release: string
  gateway: string
  units: readonly UnitHealth[]
  lastBackup: LastBackup | undefined
}>

const gatewayFact: Fact<string> = {
  query: { argv: ['curl', '-sS', '--max-time', '5', `http://${GATEWAY_HOST}:${GATEWAY_PORT}/health`], effect: 'read' },
  parse: ({ code, stdout, stderr }) => {
    const status = /"status"\s*:\s*"([^"]*)"/.exec(stdout)?.[1]
    return status ?? (stderr.trim() || `no response (curl exit code ${code})`)
  },
}

const backupFact: Fact<LastBackup | undefined> = {
  query: {
    argv: [
      'sh',
      '-c',
      'cd "$1" 2>/dev/null && cat "$(ls -1 tappass-*.json | tail -n 1)"',
      'sh',
      HOST_PATH.backupFolder,
    ],
    effect: 'read',
  },
  parse: ({ code, stdout }) => {
    if (code !== 0) return undefined
    try {
      const { takenAt, bytes } = JSON.parse(stdout) as LastBackup
      return { takenAt, bytes }
    } catch {
      return undefined
    }
  },
}

function unitHealth({ name, active, sub, result, sinceSeconds, revision }: UnitState): UnitHealth {
  return {
    unit: name,
    state: `${active} (${sub})`,
    isHealthy: active === 'active' || (active === 'inactive' && result === 'success' && name === UNIT.backup),
    since: sinceSeconds === 0 ? '' : new Date(sinceSeconds * 1000).toISOString(),
    revision: revision ?? '',
  }
}

/** Reads all facts of the health in one turn. */
export async function gatherHealth(getFact: GetFact): Promise<Health> {
  const [states, gateway, current, lastBackup] = await Promise.all([
    getFact(unitsFact('tappass*')),
    getFact(gatewayFact),
    getFact(targetFact(HOST_PATH.currentRelease)),
    getFact(backupFact),
  ])
  const units = states.map(unitHealth).toSorted((a, b) => (a.unit < b.unit ? -1 : 1))
  const isHealthy = units.length > 0 && units.every((unit) => unit.isHealthy) && gateway === 'healthy'
  return { isHealthy, release: current?.split('/').at(-1) ?? '', gateway, units, lastBackup }
}

/** Whether TapPass was ever installed: the host has a unit or a release of ours. */
export function isInstalled({ units, release }: Health): boolean {
  return units.length > 0 || release !== ''
}

/** Returns what is unhealthy: unit names, and the gateway with its status. */
export function unhealthyParts({ units, gateway }: Health): readonly string[] {
  return [
    ...units.filter((unit) => !unit.isHealthy).map(({ unit }) => unit),
    ...(gateway === 'healthy' ? [] : [`gateway (${gateway})`]),
  ]
}

/** Renders the health as a table, with a line end. */
export function renderHealth({ release, gateway, units, lastBackup }: Health): string {
  const rows = units.map(({ unit, state, isHealthy, since, revision }) => [
    isHealthy ? unit : `${unit} !`,
    state,
    since,
    revision,
  ])
  const backup = lastBackup === undefined ? 'none yet' : `${lastBackup.takenAt} (${lastBackup.bytes} bytes)`
  const summary = [`release      ${release || 'none'}`, `gateway      ${gateway}`, `last backup  ${backup}`]
  return `${renderTable([['UNIT', 'STATE', 'SINCE', 'REVISION'], ...rows])}\n\n${summary.join('\n')}\n`
}
