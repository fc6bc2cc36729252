/** What of an error goes into the log: its type and origin, never the data that it was about. */

/** Causes that are followed. */
const DEPTH_MAX = 5

/**
 * Given anything thrown, returns what may be logged: type, message, code, SQLSTATE, stack, and the same of its
 * causes. Other members are left out: parsers attach the bytes that they failed on (undici's HTTPParserError:
 * `data`), drivers rows.
 */
export function serializeError(thrown: unknown, depth = 0): object | string {
  if (!(thrown instanceof Error)) return String(thrown)
  const { name, message, stack = '' } = thrown
  const { code, sqlState } = thrown as { code?: unknown; sqlState?: unknown }
  return {
    type: name,
    message,
    ...(typeof code === 'string' && { code }),
    ...(typeof sqlState === 'string' && { sql_state: sqlState }),
    stack,
    ...(thrown.cause !== undefined && depth < DEPTH_MAX && { cause: serializeError(thrown.cause, depth + 1) }),
  }
}
