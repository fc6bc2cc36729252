/** How a host does: its units, what its gateway says, the release in force, and the last backup. */

import type { Fact, Know } from '../core/host.ts'
import { targetFact } from '../facts/path.ts'
import { type UnitState, unitsFact } from '../facts/unit.ts'

/** `takenAt` is ISO time; `bytes` the dump's size. */
export type LastBackup = Readonly<{ takenAt: string; bytes: number }>

/** `since` is ISO time, empty for a unit that never ran. `isWell` is active, or a oneshot that ended well. */
export type UnitHealth = Readonly<{ unit: string; state: string; isWell: boolean; since: string; revision: string }>

/** `gateway` is what /health says (`healthy`), or why it could not be asked. */
export type Health = Readonly<{
  isWell: boolean
  release: string
  gateway: string
  units: readonly UnitHealth[]
  lastBackup: LastBackup | undefined
}>

const gatewayFact: Fact<string> = {
  ask: { argv: ['curl', '-sS', '--max-time', '5', 'http://127.0.0.1:9620/health'], effect: 'read' },
  parse: ({ code, stdout, stderr }) => {
    const status = /"status"\s*:\s*"([^"]*)"/.exec(stdout)?.[1]
    return status ?? (stderr.trim() || `no answer (curl ended with ${code})`)
  },
}

const backupFact: Fact<LastBackup | undefined> = {
  ask: {
    argv: ['sh', '-c', 'cd /var/lib/tappass/backup 2>/dev/null && cat "$(ls -1 tappass-*.json | tail -n 1)"'],
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

function healthOf({ name, active, sub, result, sinceSeconds, revision }: UnitState): UnitHealth {
  return {
    unit: name,
    state: `${active} (${sub})`,
    isWell: active === 'active' || (active === 'inactive' && result === 'success' && name === 'tappass-backup.service'),
    since: sinceSeconds === 0 ? '' : new Date(sinceSeconds * 1000).toISOString(),
    revision: revision ?? '',
  }
}

/** Asks everything in one turn. */
export async function lookAtHealth(know: Know): Promise<Health> {
  const [states, gateway, current, lastBackup] = await Promise.all([
    know(unitsFact('tappass*')),
    know(gatewayFact),
    know(targetFact('/opt/tappass/current')),
    know(backupFact),
  ])
  const units = states.map(healthOf).toSorted((a, b) => (a.unit < b.unit ? -1 : 1))
  const isWell = units.length > 0 && units.every((unit) => unit.isWell) && gateway === 'healthy'
  return { isWell, release: current?.split('/').at(-1) ?? '', gateway, units, lastBackup }
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** The table for people, with a line end. */
export function renderHealth({ release, gateway, units, lastBackup }: Health): string {
  const rows = units.map(({ unit, state, isWell, since, revision }) => [
    isWell ? unit : `${unit} !`,
    state,
    since,
    revision,
  ])
  const backup = lastBackup === undefined ? 'none yet' : `${lastBackup.takenAt} (${lastBackup.bytes} bytes)`
  const facts = [`release      ${release || 'none'}`, `gateway      ${gateway}`, `last backup  ${backup}`]
  return `${table([['UNIT', 'STATE', 'SINCE', 'REVISION'], ...rows])}\n\n${facts.join('\n')}\n`
}
