/** The settings of SPIFFE identities: whose they are, where the gateway's own is, and where their clients connect. */
import * as v from 'valibot'
import { isTrustDomain, parseSpiffeId } from '../../contract/spiffe-id.ts'

/** A socket that systemd opened, or an address. */
export type SpiffeListen =
  | Readonly<{ kind: 'descriptor'; fd: number }>
  | Readonly<{ kind: 'address'; host: string; port: number }>

/** What SVIDs have to be. `folder` is kept by spiffe-helper. Without `listen` only JWT-SVIDs come, over the ordinary address. */
export type SpiffeConfig = Readonly<{
  trustDomain: string
  audience: string
  folder: string
  listen: SpiffeListen | undefined
}>

/** The forms of the settings. */
export const SPIFFE_SETTINGS = {
  TAPPASS_SPIFFE_TRUST_DOMAIN: v.optional(
    v.pipe(v.string(), v.check(isTrustDomain, 'is no name of a trust domain (lower case, without spiffe://)')),
  ),
  TAPPASS_SPIFFE_SVID_DIR: v.optional(v.pipe(v.string(), v.regex(/^\//, 'is no absolute path'))),
  TAPPASS_SPIFFE_AUDIENCE: v.optional(
    v.pipe(
      v.string(),
      v.check(
        (text) => parseSpiffeId(text) !== undefined || URL.canParse(text),
        'is neither a SPIFFE ID nor an address',
      ),
    ),
  ),
  TAPPASS_SPIFFE_ADDRESS: v.optional(
    v.pipe(v.string(), v.regex(/^(?:\[[0-9a-f:.]+\]|[^:[\]]+):\d{1,5}$/i, 'is not HOST:PORT'), v.transform(addressOf)),
  ),
} as const

type SpiffeSettings = v.InferOutput<v.ObjectSchema<typeof SPIFFE_SETTINGS, undefined>>

function addressOf(text: string): Extract<SpiffeListen, { kind: 'address' }> {
  const at = text.lastIndexOf(':')
  return { kind: 'address', host: text.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(text.slice(at + 1)) }
}

/** Returns what is missing or contradicts. */
export function spiffeProblems(settings: SpiffeSettings): readonly string[] {
  const { TAPPASS_SPIFFE_TRUST_DOMAIN: trustDomain, TAPPASS_SPIFFE_SVID_DIR: folder } = settings
  const { TAPPASS_SPIFFE_AUDIENCE: audience, TAPPASS_SPIFFE_ADDRESS: address } = settings
  if (trustDomain === undefined) {
    const useless = Object.entries({ SVID_DIR: folder, AUDIENCE: audience, ADDRESS: address })
    return useless.flatMap(([name, value]) =>
      value === undefined ? [] : [`TAPPASS_SPIFFE_${name} is set without TAPPASS_SPIFFE_TRUST_DOMAIN`],
    )
  }
  return [
    ...(folder === undefined ? ['TAPPASS_SPIFFE_SVID_DIR is missing: the folder that spiffe-helper writes to'] : []),
    ...(address !== undefined && address.port > 65_535 ? ['TAPPASS_SPIFFE_ADDRESS has a port above 65535'] : []),
  ]
}

/** Returns the configuration of valid settings; undefined when no SVIDs are accepted. A socket of systemd goes before an address. */
export function spiffeOf(settings: SpiffeSettings, descriptor: number | undefined): SpiffeConfig | undefined {
  const { TAPPASS_SPIFFE_TRUST_DOMAIN: trustDomain, TAPPASS_SPIFFE_SVID_DIR: folder } = settings
  if (trustDomain === undefined || folder === undefined) return undefined
  return {
    trustDomain,
    folder,
    audience: settings.TAPPASS_SPIFFE_AUDIENCE ?? `spiffe://${trustDomain}/tappass/gateway`,
    listen: descriptor === undefined ? settings.TAPPASS_SPIFFE_ADDRESS : { kind: 'descriptor', fd: descriptor },
  }
}
