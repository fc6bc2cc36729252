/** What a database answered, or failed to answer, as an exception: both database adapters throw this and nothing else. */

/** SQLSTATE of a row that is there already (PostgreSQL manual, appendix A). */
export const UNIQUE_VIOLATION = '23505'
/** SQLSTATE of a table lock that was not free within lock_timeout (PostgreSQL manual, appendix A). */
export const LOCK_NOT_AVAILABLE = '55P03'

/** A statement that was refused, or a database that could not be reached; `cause` is the driver's own error. */
export class DatabaseError extends Error {
  /** Five characters (`23505`) when the database answered; undefined when it could not be reached. */
  readonly sqlState: string | undefined
  /** What the database added: detail, hint and place, without values of parameters. */
  readonly hint: string | undefined

  /** Takes a sentence for the operator, the SQLSTATE if there is one, and the driver's error. */
  constructor(message: string, sqlState: string | undefined, cause: unknown) {
    super(message, { cause })
    this.name = 'DatabaseError'
    this.sqlState = sqlState
    this.hint = textOf(cause, 'hint')
  }
}

function textOf(value: unknown, field: string): string | undefined {
  if (typeof value !== 'object' || value === null || !(field in value)) return undefined
  const text = (value as Record<string, unknown>)[field]
  return typeof text === 'string' && text !== '' ? text : undefined
}

/** Whether `error` is the database's refusal with this SQLSTATE. */
export function hasSqlState(error: unknown, sqlState: string): boolean {
  return error instanceof DatabaseError && error.sqlState === sqlState
}

/** Wraps a driver's error; one that is wrapped already stays as it is. `doing` says what was being tried. */
export function databaseErrorOf(cause: unknown, action: string): DatabaseError {
  if (cause instanceof DatabaseError) return cause
  const code = textOf(cause, 'code')
  const sqlState = code !== undefined && /^(?=.*[0-9])[0-9A-Z]{5}$/.test(code) ? code : undefined
  const message = textOf(cause, 'message') ?? code ?? String(cause)
  return new DatabaseError(`${action}: ${message}`, sqlState, cause)
}
