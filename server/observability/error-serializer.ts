/** What of an error goes into the log: its type and origin, never the data that it was about. */

/** Causes that are followed. */
const DEPTH_MAX = 5

/**
 * Given anything thrown, returns what may be logged: type, message, code, SQLSTATE, stack, and the same of its
 * causes. Other members are left out: parsers attach the bytes that they failed on (undici's HTTPParserError:
 * `data`), drivers rows. `redact` gives the message that may stand there; the stack begins with the same one.
 */
export function serializeError(
  thrown: unknown,
  depth = 0,
  redact: (text: string) => string = (text) => text,
): object | string {
  if (!(thrown instanceof Error)) return redact(String(thrown))
  const { name, stack = '' } = thrown
  const message = redact(thrown.message)
  const { code, sqlState } = thrown as { code?: unknown; sqlState?: unknown }
  return {
    type: name,
    message,
    ...(typeof code === 'string' && { code }),
    ...(typeof sqlState === 'string' && { sql_state: sqlState }),
    stack: message === thrown.message ? stack : stack.replaceAll(thrown.message, () => message),
    ...(thrown.cause !== undefined && depth < DEPTH_MAX && { cause: serializeError(thrown.cause, depth + 1, redact) }),
  }
}
