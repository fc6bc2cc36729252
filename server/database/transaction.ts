/** Transactions over one SQL connection, nested ones as savepoints; shared by the database adapters. */

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

/** A Database on one connection. `depth` is the number of transactions that are open on it. */
export function sessionOn(kind: Database['kind'], connection: Connection, depth: number): Database {
  return {
    kind,
    query: async <Row>(sql: string, parameters?: readonly unknown[]) =>
      (await connection.run(sql, parameters)).rows as readonly Row[],
    script: connection.script,
    transaction: (work) => transactionOn(kind, connection, depth, work),
    close: () => Promise.reject(new Error('a session is closed by its owner')),
  }
}

/** Runs `work` in a transaction (a savepoint when one is open already); rolls back, and rethrows, what it throws. */
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
  // PostgreSQL answers COMMIT with ROLLBACK when a statement failed and its error was swallowed: nothing was
  // committed.
  if (command === 'ROLLBACK')
    throw new DatabaseError('transaction was rolled back: a statement in it had failed', '25P02', undefined)
  return result
}

/** The first error is the one to report; its owner discards a connection that can't even roll back. */
async function rollBack(connection: Connection, statements: readonly string[]): Promise<void> {
  try {
    for (const statement of statements) await connection.run(statement)
  } catch {
    // The connection is lost, and with it the transaction.
  }
}
