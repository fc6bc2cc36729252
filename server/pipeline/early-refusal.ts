/** Refusals of requests that were not judged: each has an entry, too. */
import type { Call } from '../core/call.ts'
import type { ErrorCode } from '../core/errors.ts'
import { type AppendResult, appendEvent } from './append.ts'
import type { Gateway } from './gateway.ts'

/** What is known of such a request. */
export type UnjudgedRequest = Pick<Call, 'id' | 'agent' | 'trace'> &
  Readonly<{ clientId?: string | undefined; session?: string | undefined; path: string; bodyBytes: number }>

const NOTHING_READ = { flags: {}, body: undefined, segments: [], model: '', isStream: false, stage: 'request' } as const

/** Appends that a request was refused, with the code that its client gets. */
export function appendRefusal(
  gateway: Gateway,
  { path, bodyBytes, session, ...request }: UnjudgedRequest,
  code: ErrorCode,
): Promise<AppendResult> {
  const call: Call = { ...request, ...NOTHING_READ, session, bodyBytes }
  const details = { bytes: bodyBytes, client_request_id: request.clientId, code, path }
  return appendEvent(gateway, call, 'request_refused', 'warn', details, { decision: 'block' })
}
