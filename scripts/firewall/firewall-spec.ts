/** The setting `firewall`: whether our packet filter drops what no setting lets in, and what is let in besides SSH and the ingress. */
import { isIP } from 'node:net'
import * as v from 'valibot'

const port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535))

/** Whether a text is an address or a network, such as `10.0.0.0/8`; without a zone. */
function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/')
  const family = address.includes('%') ? 0 : isIP(address)
  if (family === 0 || rest.length > 0) return false
  return bits === undefined || (/^(0|[1-9]\d{0,2})$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
}

const network = v.pipe(v.string(), v.check(isNetwork, 'must be an IP address or a network such as 10.0.0.0/8'))

const rule = v.strictObject({
  port,
  protocol: v.optional(v.picklist(['tcp', 'udp']), 'tcp'),
  /** Who is let in; everybody unless it is written. */
  from: v.optional(v.pipe(v.array(network), v.minLength(1))),
})

/** `none`: no packet filter of ours. */
export const firewallSchema = v.optional(
  v.lazy((input) =>
    typeof input === 'string' ? v.literal('none') : v.strictObject({ allow: v.optional(v.array(rule), []) }),
  ),
  {},
)

/** A port that is let in. */
export type AllowRule = v.InferOutput<typeof rule>
/** The parsed setting. */
export type FirewallSpec = 'none' | Readonly<{ allow: readonly AllowRule[] }>
