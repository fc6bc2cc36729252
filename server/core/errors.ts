/**
 * Every error that a client can get: its code, HTTP status, OpenAI error type and message. docs/reference/errors.md
 * is this table, and a test compares the two.
 */

const TABLE = {
  'request.malformed': [400, 'invalid_request_error', 'The body is not a JSON object.'],
  'request.invalid': [400, 'invalid_request_error', 'The request is not one that this route takes.'],
  'flags.malformed': [400, 'invalid_request_error', 'X-TapPass-Flags is a comma-separated list of name=value.'],
  'flags.unknown': [400, 'invalid_request_error', 'X-TapPass-Flags holds a flag or a value that is not known here.'],
  'flags.loosening': [400, 'invalid_request_error', 'A flag may make governance stricter, never looser.'],
  'session.malformed': [
    400,
    'invalid_request_error',
    'A session id has 1 to 128 letters, digits, dots, dashes or underscores.',
  ],
  'auth.missing': [401, 'authentication_error', 'No key: send Authorization: Bearer tp_…'],
  'auth.invalid': [401, 'authentication_error', 'The key is not valid.'],
  'auth.revoked': [401, 'authentication_error', 'The key was revoked.'],
  'auth.expired': [401, 'authentication_error', 'The key has expired.'],
  'auth.role': [403, 'insufficient_role', 'The key is valid, but its role may not do this.'],
  'policy.blocked': [403, 'policy_block', 'Request blocked by policy'],
  'policy.blocked_response': [403, 'policy_block', 'Response blocked by policy'],
  'approval.required': [403, 'approval_required', 'This call needs an approval.'],
  'route.unknown': [404, 'invalid_request_error', 'There is no such route.'],
  'entry.unknown': [404, 'invalid_request_error', 'There is no such entry, or it has no salt any more.'],
  'agent.unknown': [404, 'invalid_request_error', 'There is no such agent.'],
  'model.unknown': [404, 'invalid_request_error', 'No model server is set up for this model.'],
  // OpenAI's own code: its clients and the tools around them know it.
  model_not_found: [404, 'invalid_request_error', 'There is no such model.'],
  'route.method': [405, 'invalid_request_error', 'This route has no such method.'],
  'agent.exists': [409, 'invalid_request_error', 'An agent of this name exists.'],
  'request.too_large': [413, 'invalid_request_error', 'The body is larger than this gateway takes.'],
  'request.not_json': [415, 'invalid_request_error', 'Send the body as application/json.'],
  'request.too_complex': [422, 'invalid_request_error', 'The body is deeper, or holds more, than can be judged.'],
  'rate.exceeded': [429, 'rate_limit_error', 'Too many calls; wait as long as Retry-After says.'],
  'gateway.internal': [500, 'internal_error', 'The gateway failed. Give the request id to its operator.'],
  'upstream.unreachable': [502, 'upstream_error', 'The model server could not be reached.'],
  'upstream.failed': [502, 'upstream_error', 'The model server broke off its answer.'],
  'upstream.refused': [502, 'upstream_error', "The model server did not accept the gateway's own request."],
  'upstream.malformed': [502, 'upstream_error', 'The model server answered with something that can not be judged.'],
  'governance.unavailable': [503, 'governance_unavailable', 'The call could not be judged, so it was refused.'],
  'ledger.unavailable': [503, 'governance_unavailable', 'The call could not be recorded, so it was refused.'],
  'store.unavailable': [503, 'governance_unavailable', 'The database is out of reach.'],
  'gateway.busy': [
    503,
    'governance_unavailable',
    'Too many large calls are in hand; wait as long as Retry-After says.',
  ],
  'gateway.not_ready': [503, 'governance_unavailable', 'The gateway is starting or stopping.'],
} as const satisfies Record<string, readonly [status: number, type: string, message: string]>

/** A dotted code, the same in code, metrics, audit and docs. */
export type ErrorCode = keyof typeof TABLE

/** One row of the table. */
export type ErrorRow = Readonly<{ code: ErrorCode; status: number; type: string; message: string }>

/** The row of `code`. */
export function errorRow(code: ErrorCode): ErrorRow {
  const [status, type, message] = TABLE[code]
  return { code, status, type, message }
}

/** The whole table, for the documentation test. */
export function errorRows(): readonly ErrorRow[] {
  return (Object.keys(TABLE) as ErrorCode[]).map(errorRow)
}

/** Members of `error` beside message, type and code, such as `blocked_by`; `param` is null unless it is one of them. */
export type ErrorDetails = Readonly<Record<string, unknown>>

/** A body in the OpenAI error shape, with the request's id in it. */
export function errorBody(row: ErrorRow, requestId: string, message = row.message, details: ErrorDetails = {}): object {
  return { error: { message, type: row.type, param: null, code: row.code, ...details, request_id: requestId } }
}
