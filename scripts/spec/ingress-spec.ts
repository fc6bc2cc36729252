/** The setting `ingress`: whether Caddy stands in front of the gateway, on which ports, and for which names. */

import { isIP } from 'node:net'
import * as v from 'valibot'
import { GATEWAY_PORT } from '../../contract/gateway.ts'

const PORT_MAX = 65_535
const port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(PORT_MAX))

const NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i
const nameOrAddress = v.pipe(
  v.string(),
  v.check((text) => isIP(text) > 0 || (NAME.test(text) && /[a-z]/i.test(text)), 'must be a host name or an IP address'),
)

const ports = v.strictObject({
  http: v.optional(port, 80),
  https: v.optional(port, 443),
  /** Further names and addresses that the host is reached by, such as its public address behind NAT. */
  names: v.optional(v.array(nameOrAddress), []),
})

/** `none`: nothing of ours listens but the gateway, on loopback. */
export const ingressSchema = v.optional(
  v.lazy((input) => (typeof input === 'string' ? v.literal('none') : ports)),
  {},
)

/** The parsed setting. */
export type IngressSpec = 'none' | v.InferOutput<typeof ports>

/** Returns the ports of the ingress; none where there is no ingress. */
export function ingressPorts(ingress: IngressSpec): readonly number[] {
  return ingress === 'none' ? [] : [ingress.http, ingress.https]
}

/**
 * Returns what follows a name in an address of the gateway: nothing, or a colon and the port. A public certificate is to be had only where 80
 * and 443 lead here from outside, whatever ports that are here.
 */
export function publicPort(ingress: IngressSpec, tls: 'public' | 'internal'): string {
  return ingress === 'none' || ingress.https === 443 || tls === 'public' ? '' : `:${ingress.https}`
}

/** Returns what is wrong between settings of the ingress that are right each for itself. */
export function ingressContradictions({
  ingress,
  domain,
}: Readonly<{ ingress: IngressSpec; domain?: string | undefined }>): readonly (readonly [
  keys: readonly string[],
  problem: string,
])[] {
  if (ingress === 'none') return []
  const isTaken = ingressPorts(ingress).includes(GATEWAY_PORT)
  return [
    ...(ingress.http === ingress.https
      ? [[['ingress', 'https'], `must be another port than ingress.http (${ingress.http})`] as const]
      : []),
    ...(isTaken ? [[['ingress'], `port ${GATEWAY_PORT} is that of the gateway itself`] as const] : []),
    ...(domain !== undefined && ingress.names.length > 0
      ? [[['ingress', 'names'], 'with a domain it answers to that name only'] as const]
      : []),
  ]
}
