/** Maps results of the room access to HTTP: the value, or an error of the table. */
import type { AgentFailure, AgentResult } from '../access/agent-service.ts'
import type { AuthenticationFailure, Authenticator, Headers, Principal } from '../access/authenticator.ts'
import type { Role } from '../access/role.ts'
import type { Agent } from '../core/call.ts'
import type { ErrorCode } from '../core/errors.ts'
import { PublicError } from './public-error.ts'

type AccessFailure = AuthenticationFailure | AgentFailure

type ErrorOptions = ConstructorParameters<typeof PublicError>[1]

const FOREIGN_KEY = "The key is not valid: this gateway wants its own key (tp_…), not the provider's."

/** The error of each failure, and what its body says beside the table's message. */
const ERRORS: Readonly<Record<AccessFailure['status'], readonly [code: ErrorCode, options?: ErrorOptions]>> = {
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
  unrecorded: ['ledger.unavailable'],
}

/** Returns the agent of a governed request. Throws PublicError: 401, 403, or 503 when keys can't be looked up. */
export async function agentOf(authenticator: Authenticator, headers: Headers): Promise<Agent> {
  const authentication = await authenticator.authenticateAgent(headers)
  if (authentication.status !== 'authenticated') throw accessError(authentication)
  return authentication.agent
}

/** Returns the principal of a request, who has at least the role. Throws PublicError: 401, 403 or 503. */
export async function principalOf(authenticator: Authenticator, headers: Headers, role: Role): Promise<Principal> {
  const authentication = await authenticator.authorize(headers, role)
  if (authentication.status !== 'authenticated') throw accessError(authentication)
  return authentication.principal
}

/** Returns the value of a result of the agent registry. Throws PublicError: 404, 409 or 503. */
export function unwrap<Value>(result: AgentResult<Value>): Value {
  if (result.status !== 'done') throw accessError(result)
  return result.value
}

function accessError(failure: AccessFailure): PublicError {
  const [code, options] = ERRORS[failure.status]
  return new PublicError(code, 'cause' in failure ? { ...options, cause: failure.cause } : options)
}
