/** Agents as a table for people. */
import type { ListedAgent } from './gateway-client.ts'

const columns = [
  ['AGENT', 'agent_id'],
  ['UUID', 'agent_uuid'],
  ['ACTIVE', 'is_active'],
  ['FRAMEWORK', 'framework'],
  ['OWNER', 'owner_email'],
  ['SINCE', 'created_at'],
] as const

const cell = (value: unknown): string => {
  if (value === true) return 'yes'
  if (value === false) return 'no'
  return value === null || value === undefined ? '-' : String(value)
}

/** One line for each agent below a heading, in the order given; what an agent does not say is `-`. */
export const renderAgents = (agents: readonly ListedAgent[]): string => {
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
