/** The log of the gateway's process: pino, one JSON object a line on stdout. */
import { type DestinationStream, type Logger, pino } from 'pino'
import { serializeError } from './error-serializer.ts'
import type { ErrorTexts } from './error-text.ts'

/** The headers that carry a key. */
const KEY_HEADERS = ['authorization', 'x-api-key'] as const

/** Where an object with headers may stand in what is logged. */
const HEADER_PATHS = ['', 'headers.', 'req.headers.', 'request.headers.', 'err.headers.'] as const

const REDACTED_PATHS = HEADER_PATHS.flatMap((path) =>
  KEY_HEADERS.map((name) => (path === '' ? `["${name}"]` : `${path.slice(0, -1)}["${name}"]`)),
)

/**
 * Creates the log. Each line has pino's own members: level as a number, time in milliseconds since 1970, pid, hostname.
 * Errors are logged by type and origin only, and keys in headers are replaced. `destination` is stdout unless told; `redact` gives the message of
 * an error as it may stand there.
 */
export function createLogger(
  level: string,
  destination: DestinationStream = pino.destination(1),
  redact?: ErrorTexts['redact'],
): Logger {
  return pino(
    {
      level,
      timestamp: pino.stdTimeFunctions.epochTime,
      serializers: { err: (error) => serializeError(error, 0, redact) },
      redact: { paths: REDACTED_PATHS, censor: '[redacted]' },
    },
    destination,
  )
}
