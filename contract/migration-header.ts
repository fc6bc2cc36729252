/**
 * What a migration's file says of itself in its first line: `-- tappass: phase=expand, concurrent, statement-timeout=10min`. The gateway's process that runs
 * migrations goes by it, and so does the toolkit when it plans an upgrade.
 */

/**
 * `expand`: adds something, and gateways of the release before go on beside it. `contract`: takes away what only releases before needed, so it waits until this one
 * is accepted. Without a phase a migration runs before the release, and the release before does not start on it any more.
 */
export type MigrationPhase = 'expand' | 'contract'

/** `isConcurrent`: one statement outside of a transaction (CREATE INDEX CONCURRENTLY). `statementTimeout` is in PostgreSQL's words. */
export type MigrationHeader = Readonly<{
  phase: MigrationPhase | undefined
  isConcurrent: boolean
  statementTimeout: string
  problem?: string
}>

/** A statement that takes longer holds up more than it is worth. A file may say another time. */
const STATEMENT_TIMEOUT = '15min'

const HEADER = /^-- tappass:(.*)$/m
const TIMEOUT = /^[1-9]\d{0,5}(?:ms|s|min|h)$/

/** Returns what the file says; `problem` is the word that is not understood. */
export function parseMigrationHeader(sql: string): MigrationHeader {
  const [, text = ''] = HEADER.exec(sql.slice(0, sql.search(/^(?!--)/m) >>> 0)) ?? []
  let header: MigrationHeader = { phase: undefined, isConcurrent: false, statementTimeout: STATEMENT_TIMEOUT }
  for (const word of text.split(',').map((each) => each.trim())) {
    const [name, value = ''] = word.split('=')
    if (word === '') continue
    if (word === 'concurrent') header = { ...header, isConcurrent: true }
    else if (name === 'phase' && (value === 'expand' || value === 'contract')) header = { ...header, phase: value }
    else if (name === 'statement-timeout' && TIMEOUT.test(value)) header = { ...header, statementTimeout: value }
    else return { ...header, problem: word }
  }
  return header
}
