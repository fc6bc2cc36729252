/** Headers of errors. */
import type { ErrorCode, ErrorRow } from '../core/errors.ts'

/** Where the same request may succeed when it is sent again. Everywhere else it gets the same answer. */
const RETRYABLE: ReadonlySet<ErrorCode> = new Set([
  'rate.exceeded',
  'gateway.internal',
  'upstream.unreachable',
  'upstream.failed',
  'governance.unavailable',
  'ledger.unavailable',
  'store.unavailable',
  'gateway.busy',
  'gateway.not_ready',
])

/**
 * Headers that an error always has. OpenAI's and Anthropic's clients obey `x-should-retry`; a 401 names its scheme
 * (RFC 9110, section 15.5.2, and RFC 6750, section 3).
 */
export function errorHeaders({ code, status }: ErrorRow): Readonly<Record<string, string>> {
  const challenge = code === 'auth.missing' ? '' : ', error="invalid_token"'
  return {
    ...(RETRYABLE.has(code) ? {} : { 'x-should-retry': 'false' }),
    ...(status === 401 ? { 'www-authenticate': `Bearer realm="tappass"${challenge}` } : {}),
  }
}
