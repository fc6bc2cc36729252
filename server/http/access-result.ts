/** Maps results of the room access to HTTP: the value, or an error of the table. */
import type { AgentFailure, AgentResult } from '../access/agent-service.ts'
import type { AgentAuthentication, Authentication, AuthenticationFailure, Principal } from '../access/authenticator.ts'
import type { SvidReason } from '../access/svid-authenticator.ts'
import type { Agent } from '../core/call.ts'
import type { ErrorCode } from '../core/errors.ts'
import { PublicError } from './public-error.ts'

type AccessFailure = AuthenticationFailure | AgentFailure

type ErrorOptions = ConstructorParameters<typeof PublicError>[1]

const FOREIGN_KEY = "The key is not valid: this gateway wants its own key (tp_…), not the provider's."

/** Why an SVID opens nothing, in words. */
const SVID_REASONS: Readonly<Record<SvidReason, string>> = {
  malformed: 'it is malformed',
  algorithm: 'its algorithm is none that a JWT-SVID may have',
  signature: 'no authority of the trust bundle has signed it',
  trust_domain: 'it is of another trust domain',
  not_one_id: 'it does not name one workload',
  authority: 'it is the certificate of an authority',
  key_usage: 'its key may not be used for that',
  expired: 'it has expired',
  not_yet_valid: 'it is not valid yet',
  audience: 'it is meant for somebody else (its audience)',
  unavailable: 'there is no trust bundle to check it against',
  unregistered: 'no agent has its SPIFFE id',
  deactivated: 'its agent was revoked',
}

const SVID_MISSING = 'This address takes SVIDs only: show a client certificate, or send a JWT-SVID as bearer.'

/** The error of each failure, and what its body says beside the table's message. */
const ERRORS: Readonly<
  Record<Exclude<AccessFailure['status'], 'svid_refused'>, readonly [code: ErrorCode, options?: ErrorOptions]>
> = {
  key_missing: ['auth.missing'],
  key_invalid: ['auth.invalid'],
  key_foreign: ['auth.invalid', { message: FOREIGN_KEY }],
  key_revoked: ['auth.revoked', { details: { reason: 'revoked' } }],
  key_expired: ['auth.expired', { details: { reason: 'expired' } }],
  agent_deactivated: ['auth.revoked', { details: { reason: 'revoked' } }],
  role_insufficient: ['auth.role'],
  not_an_agent: ['auth.role', { message: 'This route wants the key of an agent.' }],
  keys_unavailable: ['store.unavailable'],
  agent_unknown: ['agent.unknown'],
  agent_exists: ['agent.exists'],
  svid_missing: ['auth.missing', { message: SVID_MISSING }],
  spiffe_id_taken: [
    'agent.exists',
    { message: 'An agent with this SPIFFE id exists.', details: { param: 'spiffe_id' } },
  ],
  spiffe_id_invalid: ['request.invalid'],
  unrecorded: ['ledger.unavailable'],
}

/** Returns the agent of a governed request. Throws PublicError: 401, 403, or 503 when keys can't be looked up. */
export function agentOf(authentication: AgentAuthentication): Agent {
  if (authentication.status !== 'authenticated') throw accessError(authentication)
  return authentication.agent
}

/** Returns the principal of a request. Throws PublicError: 401, 403 or 503. */
export function principalOf(authentication: Authentication): Principal {
  if (authentication.status !== 'authenticated') throw accessError(authentication)
  return authentication.principal
}

/** Returns the value of a result of the agent registry. Throws PublicError: 400, 404, 409 or 503. */
export function unwrap<Value>(result: AgentResult<Value>): Value {
  if (result.status !== 'done') throw accessError(result)
  return result.value
}

/** The error of an SVID that was refused. */
export function svidErrorCode(reason: SvidReason): ErrorCode {
  if (reason === 'deactivated') return 'auth.revoked'
  return reason === 'expired' ? 'auth.expired' : 'auth.invalid'
}

function accessError(failure: AccessFailure): PublicError {
  if (failure.status === 'svid_refused') {
    const { reason } = failure
    const message = `The SVID is refused: ${SVID_REASONS[reason]}.`
    return new PublicError(svidErrorCode(reason), { message, details: { reason } })
  }
  const [code, options] = ERRORS[failure.status]
  if ('problem' in failure) {
    const message = `The request is not valid. spiffe_id: ${failure.problem}`
    return new PublicError(code, { message, details: { param: 'spiffe_id' } })
  }
  return new PublicError(code, 'cause' in failure ? { ...options, cause: failure.cause } : options)
}
