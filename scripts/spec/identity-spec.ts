/** The setting `identity`: a SPIFFE trust domain of the host's own, how long what it issues is valid, and which workloads get an SVID. */

import * as v from 'valibot'
import { GATEWAY_PORT, SPIFFE_PORT } from '../../contract/gateway.ts'
import { isTrustDomain, parseSpiffeId } from '../../contract/spiffe-id.ts'
import { parseSelector, SELECTOR_EXAMPLES } from '../core/workload-selector.ts'

function integer(minimum: number, maximum: number) {
  return v.pipe(v.number(), v.integer(), v.minValue(minimum), v.maxValue(maximum))
}

const trustDomain = v.pipe(
  v.string(),
  v.check(isTrustDomain, 'must be a trust domain: lower case letters, digits, dots, dashes, underscores'),
)
const spiffeId = v.pipe(
  v.string(),
  v.check(
    (text) => parseSpiffeId(text) !== undefined,
    'must be a SPIFFE ID with a path, such as spiffe://example.org/agents/planner',
  ),
)
const selector = v.pipe(
  v.string(),
  v.check((text) => parseSelector(text) !== undefined, `must be a selector such as ${SELECTOR_EXAMPLES}`),
)

const MINUTES_MAX = 7 * 24 * 60
const svidMinutes = { x509SvidMinutes: integer(2, MINUTES_MAX), jwtSvidMinutes: integer(1, MINUTES_MAX) }

const workload = v.strictObject({
  id: spiffeId,
  /** All of them have to be true of a process. */
  selectors: v.pipe(v.array(selector), v.minLength(1)),
  x509SvidMinutes: v.optional(svidMinutes.x509SvidMinutes),
  jwtSvidMinutes: v.optional(svidMinutes.jwtSvidMinutes),
})

/** Absent: the host issues no identities. */
export const identitySchema = v.optional(
  v.strictObject({
    trustDomain,
    workloads: v.optional(v.array(workload), []),
    x509SvidMinutes: v.optional(svidMinutes.x509SvidMinutes, 60),
    jwtSvidMinutes: v.optional(svidMinutes.jwtSvidMinutes, 5),
    /** How long the agent is known without its server: a host that was off for longer is attested again by the next run. */
    agentDays: v.optional(integer(1, 7), 7),
    caDays: v.optional(integer(6, 3650), 90),
    /** Where the server listens for the agent, on loopback; SPIRE's own 8081 is taken on many hosts. */
    serverPort: v.optional(integer(1, 65_535), 9622),
  }),
)

/** The parsed setting. */
export type IdentitySpec = NonNullable<v.InferOutput<typeof identitySchema>>

/** SPIRE issues with an authority that has a sixth of its life left at least, or a week. */
const CA_SHARE = 6

type Problem = readonly [keys: readonly (string | number)[], problem: string]

function workloadProblems({ trustDomain: domain, workloads }: IdentitySpec): readonly Problem[] {
  return workloads.flatMap(({ id, selectors }, index) => {
    const at = (key: string, what: string): Problem => [['identity', 'workloads', index, key], what]
    const { trustDomain: host, path = '' } = parseSpiffeId(id) ?? {}
    const [, first = ''] = path.split('/')
    const place = workloads.findIndex((other) => other.id === id)
    const twice = selectors.find((each, nth) => selectors.indexOf(each) !== nth)
    return [
      ...(host === domain ? [] : [at('id', `${id} is not in the trust domain ${domain}`)]),
      ...(first === 'tappass' || first === 'spire' ? [at('id', `ids below /${first} are the toolkit's own`)] : []),
      ...(place === index ? [] : [at('id', `${id} is workload ${place + 1} already`)]),
      ...(twice === undefined ? [] : [at('selectors', `${twice} is there twice`)]),
    ]
  })
}

/** Returns what is wrong between settings of identities that are right each for itself. */
export function identityContradictions(identity: IdentitySpec | undefined): readonly Problem[] {
  if (identity === undefined) return []
  const { agentDays, caDays, serverPort } = identity
  const isTaken = serverPort === GATEWAY_PORT || serverPort === SPIFFE_PORT
  return [
    ...workloadProblems(identity),
    ...(agentDays * CA_SHARE > caDays
      ? [
          [
            ['identity', 'caDays'],
            `must be ${CA_SHARE} times agentDays at least (${agentDays * CA_SHARE}), found ${caDays}`,
          ] as const,
        ]
      : []),
    ...(isTaken ? [[['identity', 'serverPort'], `port ${serverPort} is that of the gateway itself`] as const] : []),
  ]
}

/** Returns the name of this host's agent, below which all workloads are registered. */
export function hostId({ trustDomain: domain }: IdentitySpec): string {
  return `spiffe://${domain}/tappass/host`
}

/** Returns who the policy engine is. */
export function opaId({ trustDomain: domain }: IdentitySpec): string {
  return `spiffe://${domain}/tappass/opa`
}

/** Returns who the gateway is. */
export function gatewayId({ trustDomain: domain }: IdentitySpec): string {
  return `spiffe://${domain}/tappass/gateway`
}
