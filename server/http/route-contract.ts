/**
 * What a route has to state: its schema, the least role whose key opens it, and its errors. A route that lacks one of
 * them is not registered; what it states is what holds, as its key is checked by it.
 */
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify'
import type { AuthenticationFailure, Authenticator } from '../access/authenticator.ts'
import { parseRole, type Role } from '../access/role.ts'
import type { RecordSvidRefusal } from '../access/svid-refusal.ts'
import { type ErrorCode, errorRows } from '../core/errors.ts'
import { agentOf, principalOf, svidErrorCode } from './access-result.ts'
import { shownChain } from './svid-server.ts'
import { compileValidator } from './validation.ts'

/** `open`: no key is needed. AGENT: the key of an agent, or a developer's for an agent. */
export type LeastRole = Role | 'open'

declare module 'fastify' {
  interface FastifyContextConfig {
    leastRole: LeastRole
    /** Codes of the table of errors, beside those that `errorsOf` adds; empty when there are none. */
    errors: readonly ErrorCode[]
  }
}

/** Errors that routes have in common, and what makes them possible. */
export const COMMON_ERRORS = {
  always: ['gateway.internal'],
  key: ['auth.missing', 'auth.invalid', 'auth.revoked', 'auth.expired', 'auth.role', 'store.unavailable'],
  body: ['request.malformed', 'request.too_large', 'request.not_json'],
  validation: ['request.invalid'],
  parameter: ['route.unknown'],
} as const satisfies Record<string, readonly ErrorCode[]>

const BODILESS = ['GET', 'HEAD']

/** Returns all errors that a route can answer, in the order of the table. */
export function errorsOf({ method, url, schema, config, validatorCompiler }: RouteOptions): readonly ErrorCode[] {
  const isValidated = validatorCompiler === undefined && (schema?.body ?? schema?.querystring) !== undefined
  const codes = new Set<ErrorCode>([
    ...COMMON_ERRORS.always,
    ...(config?.leastRole === 'open' ? [] : COMMON_ERRORS.key),
    ...([method].flat().every((each) => BODILESS.includes(each)) ? [] : COMMON_ERRORS.body),
    ...(isValidated ? COMMON_ERRORS.validation : []),
    ...(url.includes(':') ? COMMON_ERRORS.parameter : []),
    ...(config?.errors ?? []),
  ])
  return errorRows().flatMap(({ code }) => (codes.has(code) ? [code] : []))
}

/** Returns what a route lacks, in words; nothing when it states all. */
export function contractFlaws({ url, schema, config }: RouteOptions): readonly string[] {
  const { leastRole, errors } = (config ?? {}) as Partial<NonNullable<typeof config>>
  const isKnownRole = leastRole === 'open' || parseRole(leastRole ?? '') === leastRole
  const known = new Set<string>(errorRows().map(({ code }) => code))
  return [
    ...(schema?.summary ? [] : ['a summary']),
    ...(schema?.tags?.length === 1 ? [] : ['one tag']),
    ...(Object.keys(schema?.response ?? {}).some((status) => /^2\d\d$/.test(status)) ? [] : ['a response schema']),
    ...(/[:*]/.test(url) && schema?.params === undefined ? ['a schema of its parameters'] : []),
    ...(leastRole !== undefined && isKnownRole ? [] : ['a least role']),
    ...(errors?.every((code) => known.has(code)) ? [] : ['errors of the table']),
  ]
}

/**
 * Holds every route that is registered from here on to its contract: throws when it lacks something, checks its key
 * before its other hooks and before the body is read, validates its requests. An SVID that is refused is recorded. Responses are sent as the handler gives
 * them, whatever their schemas say.
 */
export function holdToContract(
  server: FastifyInstance,
  authenticator: Authenticator,
  recordRefusal: RecordSvidRefusal,
): void {
  server.setValidatorCompiler(compileValidator)
  server.setSerializerCompiler(() => (payload) => JSON.stringify(payload))
  server.addHook('onRoute', (route) => {
    const flaws = contractFlaws(route)
    if (flaws.length > 0) throw new Error(`${route.method} ${route.url} does not state ${flaws.join(', ')}`)
    const authenticate = authenticationFor(authenticator, recordRefusal, route.config?.leastRole ?? 'PLATFORM')
    if (authenticate) route.onRequest = [authenticate, ...[route.onRequest ?? []].flat()]
  })
}

type Authenticate = (request: FastifyRequest) => Promise<void>

function authenticationFor(
  authenticator: Authenticator,
  recordRefusal: RecordSvidRefusal,
  leastRole: LeastRole,
): Authenticate | undefined {
  if (leastRole === 'open') return undefined
  const record = async (failure: AuthenticationFailure, { id, routeOptions }: FastifyRequest): Promise<void> => {
    if (failure.status !== 'svid_refused') return
    await recordRefusal(failure, { id, path: routeOptions.url ?? '', code: svidErrorCode(failure.reason) })
  }
  if (leastRole === 'AGENT')
    return async (request) => {
      const authentication = await authenticator.authenticateAgent(request.headers, shownChain(request.raw))
      if (authentication.status !== 'authenticated') await record(authentication, request)
      request.agent = agentOf(authentication)
    }
  return async (request) => {
    const authentication = await authenticator.authorize(request.headers, leastRole, shownChain(request.raw))
    if (authentication.status !== 'authenticated') await record(authentication, request)
    request.principal = principalOf(authentication)
  }
}
