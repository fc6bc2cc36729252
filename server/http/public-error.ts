/**
 * The exception between a route and its error handler. No other room knows it: their functions return failures as
 * values, which routes map to a row of the table of errors.
 */
import { type ErrorCode, type ErrorDetails, type ErrorRow, errorRow } from '../core/errors.ts'

/**
 * An expected error on its way to the client. `message` replaces the table's message where a better one is known
 * (never for our own 5xx).
 */
export class PublicError extends Error {
  readonly row: ErrorRow
  readonly details: ErrorDetails
  readonly headers: Readonly<Record<string, string>>

  constructor(
    code: ErrorCode,
    options: Readonly<{
      message?: string
      details?: ErrorDetails
      headers?: Record<string, string>
      cause?: unknown
    }> = {},
  ) {
    const row = errorRow(code)
    super(options.message ?? row.message, { cause: options.cause })
    this.name = 'PublicError'
    this.row = row
    this.details = options.details ?? {}
    this.headers = options.headers ?? {}
  }
}
