/** The setting `ingress.tunnel`: where the rules of a Cloudflare tunnel are kept, and what they are. */
import * as v from 'valibot'
import { stringify } from 'yaml'
import { GATEWAY_HOST, GATEWAY_PORT } from '../../contract/gateway.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const NAME = /^(?=.{1,253}$)(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/i

const route = v.strictObject({
  hostname: v.pipe(v.string(), v.regex(NAME, 'must be a host name, with "*." at most before it')),
  /** A regular expression of Go over the path. */
  path: v.optional(v.pipe(v.string(), v.regex(/^\S+$/, 'must be a regular expression without blanks'))),
  /** `gateway`, or the address of something else on this host or beside it. */
  service: v.optional(
    v.pipe(v.string(), v.regex(/^(gateway|https?:\/\/[^\s'"\\/@]+)$/, 'must be "gateway" or http(s)://HOST:PORT')),
    'gateway',
  ),
})

/** `id`: the rules are kept here, and the secret is `tunnel-credentials`; without it they are kept at Cloudflare, and the secret is `tunnel-token`. */
export const tunnelSchema = v.strictObject({
  id: v.optional(v.pipe(v.string(), v.regex(UUID, 'must be the UUID of a tunnel'))),
  routes: v.optional(v.pipe(v.array(route), v.minLength(1))),
})

/** The parsed setting. */
export type TunnelSpec = v.InferOutput<typeof tunnelSchema>

/** Returns the rules in order, each with the address of its service. Without any written, the domain leads to the gateway. */
export function tunnelRoutes(
  { routes }: TunnelSpec,
  domain: string | undefined,
): readonly Readonly<{ hostname: string; path?: string | undefined; service: string }>[] {
  const written = routes ?? (domain === undefined ? [] : [{ hostname: domain, service: 'gateway' }])
  return written.map((each) => ({
    ...each,
    service: each.service === 'gateway' ? `http://${GATEWAY_HOST}:${GATEWAY_PORT}` : each.service,
  }))
}

/** Returns what is wrong between settings of a tunnel that are right each for itself. */
export function tunnelContradictions(
  { id, routes }: TunnelSpec,
  domain: string | undefined,
): readonly (readonly [keys: readonly string[], problem: string])[] {
  if (id === undefined && routes !== undefined)
    return [[['ingress', 'tunnel', 'routes'], 'without tunnel.id the routes are kept at Cloudflare']]
  if (id !== undefined && routes === undefined && domain === undefined)
    return [[['ingress', 'tunnel'], 'needs routes, or a domain that leads to the gateway']]
  return []
}

const NOTICE = '# What the tunnel does. Laid down by the toolkit; edits are undone at its next run.\n'

/**
 * Returns the text: the routes in order and 404 for everything else, where they are kept here. With a token it has no routes; without a file
 * cloudflared would read whatever stands in /etc/cloudflared.
 */
export function tunnelConfigText(tunnel: TunnelSpec, domain: string | undefined): string {
  const routes = [
    ...tunnelRoutes(tunnel, domain).map(({ hostname, path, service }) => ({
      hostname,
      ...(path === undefined ? {} : { path }),
      service,
    })),
    { service: 'http_status:404' },
  ]
  const local = tunnel.id === undefined ? {} : { tunnel: tunnel.id, ingress: routes }
  return `${NOTICE}${stringify({ 'no-autoupdate': true, ...local })}`
}
