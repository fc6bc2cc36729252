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

/** Only where an agent has one: most gateways know keys alone. */
const SPIFFE_COLUMN = ['SPIFFE ID', 'spiffe_id'] as const

function cell(value: unknown): string {
  if (value === true) return 'yes'
  if (value === false) return 'no'
  return value === null || value === undefined ? '-' : String(value)
}

/** Returns a heading and a line for each agent, in the given order; a missing value is `-`. */
export function renderAgents(agents: readonly ListedAgent[]): string {
  const columns = agents.some(({ spiffe_id }) => typeof spiffe_id === 'string') ? [...COLUMNS, SPIFFE_COLUMN] : COLUMNS
  const rows = [
    columns.map(([title]) => title as string),
    ...agents.map((agent) => columns.map(([, key]) => cell(agent[key]))),
  ]
  const widths = columns.map((_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)))
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
