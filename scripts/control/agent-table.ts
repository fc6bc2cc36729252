/** Renders agents as a table. */
import type { ListedAgent } from './gateway-client.ts'

const COLUMNS = [
  ['AGENT', 'agent_id'],
  ['UUID', 'agent_uuid'],
  ['ACTIVE', 'is_active'],
  ['FRAMEWORK', 'framework'],
  ['OWNER', 'owner_email'],
  ['SINCE', 'created_at'],
] as const

function cell(value: unknown): string {
  if (value === true) return 'yes'
  if (value === false) return 'no'
  return value === null || value === undefined ? '-' : String(value)
}

/** Returns a heading and a line for each agent, in the given order; a missing value is `-`. */
export function renderAgents(agents: readonly ListedAgent[]): string {
  const rows = [
    COLUMNS.map(([title]) => title as string),
    ...agents.map((agent) => COLUMNS.map(([, key]) => cell(agent[key]))),
  ]
  const widths = COLUMNS.map((_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)))
  return rows
    .map(
      (row) =>
        `${row
          .map((text, index) => text.padEnd(widths[index] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}
