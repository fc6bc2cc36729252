/** Transactions over one SQL connection, nested ones as savepoints: what the database adapters have in common. */

import type { Database } from '../core/ports.ts'
import { DatabaseError } from './database-error.ts'

/** One connection: runs a statement with parameters and returns its rows and command tag ('INSERT', 'ROLLBACK', …). */
export type Connection = Readonly<{
  run: (
    sql: string,
    parameters?: readonly unknown[],
  ) => Promise<Readonly<{ rows: readonly unknown[]; command: string }>>
  script: (sql: string) => Promise<void>
}>

/** A Database bound to one connection. `depth` counts the transactions that are open on it: 0 is none. */
export function sessionOn(kind: Database['kind'], connection: Connection, depth: number): Database {
  return {
    kind,
    query: async <Row>(sql: string, parameters?: readonly unknown[]) =>
      (await connection.run(sql, parameters)).rows as readonly Row[],
    script: connection.script,
    transaction: (work) => transactionOn(kind, connection, depth, work),
    close: () => Promise.reject(new Error('a session is closed by the one who opened it')),
  }
}

/** Runs `work` in a transaction (a savepoint when one is open already); rolls back, and throws on, what it throws. */
export async function transactionOn<T>(
  kind: Database['kind'],
  connection: Connection,
  depth: number,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  const savepoint = `nested_${depth}`
  await connection.run(depth === 0 ? 'BEGIN' : `SAVEPOINT ${savepoint}`)
  let result: T
  try {
    result = await work(sessionOn(kind, connection, depth + 1))
  } catch (error) {
    await rollBack(connection, depth === 0 ? ['ROLLBACK'] : [`ROLLBACK TO ${savepoint}`, `RELEASE ${savepoint}`])
    throw error
  }
  const { command } = await connection.run(depth === 0 ? 'COMMIT' : `RELEASE ${savepoint}`)
  // PostgreSQL answers COMMIT with ROLLBACK when a statement failed and its error was swallowed: nothing was kept.
  if (command === 'ROLLBACK')
    throw new DatabaseError('transaction was rolled back: a statement in it had failed', '25P02', undefined)
  return result
}

/** The first error is the one to report; a connection that can't even roll back is thrown away by its owner. */
async function rollBack(connection: Connection, statements: readonly string[]): Promise<void> {
  try {
    for (const statement of statements) await connection.run(statement)
  } catch {
    // The connection is gone, and with it the transaction.
  }
}
