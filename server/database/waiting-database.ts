/** A database whose restarts its callers do not notice but by the time that they take. */
import { createWaitOut } from '../core/outage.ts'
import type { Database } from '../core/ports.ts'
import { isUnavailable, isUnsent } from './database-error.ts'

/** A restart of PostgreSQL takes two to four seconds on a server; clients wait for a model for longer than that. */
const WAIT_MS = 10_000
const EVERY_MS = 100

/**
 * Returns `database`, whose statements and transactions are done again while it restarts, for ten seconds from its first error on; after that they fail at once
 * until it is back. What only reads is done again whatever the connection broke of; what may have been committed is never done twice: the error is passed on.
 */
export function waitingDatabase(
  database: Database,
  clock: Readonly<{ elapsedMs: () => number }>,
  pause: (ms: number) => Promise<unknown>,
): Database {
  const waitOut = createWaitOut({ elapsedMs: clock.elapsedMs, pause, waitMs: WAIT_MS, everyMs: EVERY_MS })
  return {
    ...database,
    query: (sql, parameters) => {
      const isReading = /^\s*SELECT\b/i.test(sql)
      return waitOut(() => database.query(sql, parameters), isReading ? isUnavailable : isUnsent)
    },
    transaction: (work) => waitOut(() => database.transaction(work), isUnsent),
  }
}
