/** The setting `ingress`: what stands in front of the gateway (Caddy, a Cloudflare tunnel, both or nothing), on which ports, and for which names. */

import { isIP } from 'node:net'
import * as v from 'valibot'
import { GATEWAY_PORT } from '../../contract/gateway.ts'
import { type IngressPart, liveParts } from '../../contract/unit.ts'
import type { IngressSecretId } from '../secrets/ingress-secret.ts'
import { type TunnelSpec, tunnelContradictions, tunnelSchema } from './tunnel-spec.ts'

const PORT_MAX = 65_535
const port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(PORT_MAX))

const NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i
const nameOrAddress = v.pipe(
  v.string(),
  v.check((text) => isIP(text) > 0 || (NAME.test(text) && /[a-z]/i.test(text)), 'must be a host name or an IP address'),
)

const KINDS = ['caddy', 'tunnel', 'both'] as const

const ports = v.strictObject({
  kind: v.optional(v.picklist(KINDS), 'caddy'),
  /** Which of both serves; both do while names are moved from one to the other. */
  live: v.optional(v.picklist(KINDS)),
  tunnel: v.optional(tunnelSchema),
  http: v.optional(port, 80),
  https: v.optional(port, 443),
  /** Beside HTTP/1.1 and 2, on the UDP port of the same number. */
  http3: v.optional(v.boolean(), true),
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

/** Whether this one is installed and set up on the host. */
export function isPrepared(ingress: IngressSpec, part: IngressPart): boolean {
  return ingress !== 'none' && (ingress.kind === part || ingress.kind === 'both')
}

/** Whether this one runs. Of both that are prepared it is Caddy, unless another one is written. */
export function isLive(ingress: IngressSpec, part: IngressPart): boolean {
  return liveParts(ingress).includes(part)
}

/** Returns the setting of the tunnel, where there is one. */
export function tunnelOf(ingress: IngressSpec): TunnelSpec | undefined {
  return ingress !== 'none' && isPrepared(ingress, 'tunnel') ? (ingress.tunnel ?? {}) : undefined
}

/** Returns the secrets that the operator has to provide, with the setting that needs each. */
export function neededIngressSecrets({
  ingress,
  tls,
}: Readonly<{ ingress: IngressSpec; tls: Tls }>): readonly Readonly<{ id: IngressSecretId; reason: string }>[] {
  const tunnel = tunnelOf(ingress)
  const own: readonly IngressSecretId[] =
    tls === 'own' && isPrepared(ingress, 'caddy') ? ['tls-certificate', 'tls-key'] : []
  return [
    ...(tunnel === undefined
      ? []
      : [
          tunnel.id === undefined
            ? ({ id: 'tunnel-token', reason: 'a tunnel whose routes are kept at Cloudflare needs its token' } as const)
            : ({ id: 'tunnel-credentials', reason: 'ingress.tunnel.id needs the credentials of that tunnel' } as const),
        ]),
    ...own.map((id) => ({ id, reason: 'tls: own needs a certificate and its key' })),
  ]
}

/** Where certificates come from: a public authority, Caddy's own on the host, or the operator. */
export type Tls = 'public' | 'internal' | 'own'

/** Returns the TCP ports that Caddy listens on; none where it does not run. */
export function ingressPorts(ingress: IngressSpec): readonly number[] {
  return ingress !== 'none' && isLive(ingress, 'caddy') ? [ingress.http, ingress.https] : []
}

/** Returns the UDP ports that Caddy listens on. */
export function ingressUdpPorts(ingress: IngressSpec): readonly number[] {
  return ingress !== 'none' && isLive(ingress, 'caddy') && ingress.http3 ? [ingress.https] : []
}

/**
 * Returns what follows a name in an address of the gateway: nothing, or a colon and the port. A public certificate is to be had only where 80
 * and 443 lead here from outside, whatever ports that are here.
 */
export function publicPort(ingress: IngressSpec, tls: Tls): string {
  return ingress === 'none' || !isLive(ingress, 'caddy') || ingress.https === 443 || tls === 'public'
    ? ''
    : `:${ingress.https}`
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
  const tunnel = tunnelOf(ingress)
  const isTaken = ingressPorts(ingress).includes(GATEWAY_PORT)
  return [
    ...(tunnel === undefined ? [] : tunnelContradictions(tunnel, domain)),
    ...(ingress.kind === 'caddy' && ingress.tunnel !== undefined
      ? [[['ingress', 'tunnel'], 'needs kind: tunnel, or kind: both'] as const]
      : []),
    ...(ingress.kind !== 'both' && ingress.live !== undefined
      ? [[['ingress', 'live'], 'chooses among both: it needs kind: both'] as const]
      : []),
    ...(ingress.http === ingress.https
      ? [[['ingress', 'https'], `must be another port than ingress.http (${ingress.http})`] as const]
      : []),
    ...(isTaken ? [[['ingress'], `port ${GATEWAY_PORT} is that of the gateway itself`] as const] : []),
    ...(domain !== undefined && ingress.names.length > 0
      ? [[['ingress', 'names'], 'with a domain it answers to that name only'] as const]
      : []),
  ]
}
