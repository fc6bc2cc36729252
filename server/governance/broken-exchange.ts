/** What is wrong with a model server that gave no answer. */
import type { ErrorCode } from '../core/errors.ts'
import { MalformedResponseError } from '../core/malformed-response.ts'

/** The error of an exchange that broke: before an answer began, within it, or because it is none. */
export function brokenCode(cause: unknown, hasBegun: boolean): ErrorCode {
  if (cause instanceof MalformedResponseError) return 'upstream.malformed'
  return hasBegun ? 'upstream.failed' : 'upstream.unreachable'
}
