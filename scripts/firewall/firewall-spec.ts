/**
 * The setting `firewall`: whether our packet filter drops what no setting lets in, what is let in besides SSH and the ingress,
 * and what is let out.
 */
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

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i

/** A network is left out of names by its slash, an address by its form; what is digits and dots only is neither a name nor an address. */
const isDestination = (text: string): boolean => isNetwork(text) || (HOST_NAME.test(text) && /[a-z]/i.test(text))

const outboundRule = v.strictObject({
  port,
  protocol: v.optional(v.picklist(['tcp', 'udp']), 'tcp'),
  to: v.pipe(
    v.array(v.pipe(v.string(), v.check(isDestination, 'must be a host name, an IP address or a network'))),
    v.minLength(1),
  ),
})

/** `none`: no packet filter of ours. With `outbound` what goes out is closed but for what the server itself needs, and these. */
export const firewallSchema = v.optional(
  v.lazy((input) =>
    typeof input === 'string'
      ? v.literal('none')
      : v.strictObject({ allow: v.optional(v.array(rule), []), outbound: v.optional(v.array(outboundRule)) }),
  ),
  {},
)

/** A port that is let in. */
export type AllowRule = v.InferOutput<typeof rule>
/** A port that is let out, and where to. */
export type OutboundRule = Readonly<{ port: number; protocol: 'tcp' | 'udp'; to: readonly string[] }>
/** The parsed setting. */
export type FirewallSpec =
  | 'none'
  | Readonly<{ allow: readonly AllowRule[]; outbound?: readonly OutboundRule[] | undefined }>

/** As many ports fit into a rule of ufw (xt_multiport). */
const TOOL_PORTS_MAX = 15

const isForAll = ({ protocol, from }: AllowRule): boolean => protocol === 'tcp' && from === undefined

/**
 * Splits what is let in for ufw and firewalld: `ports` are those of our one rule there, TCP for everybody, those of the ingress first; `others` are
 * kept there by the operator.
 */
export function toolRules(
  firewall: FirewallSpec,
  ingress: readonly number[],
): Readonly<{ ports: readonly number[]; others: readonly AllowRule[] }> {
  const allow = firewall === 'none' ? [] : firewall.allow
  const ports = [...new Set([...ingress, ...allow.filter(isForAll).map(({ port }) => port)])].slice(0, TOOL_PORTS_MAX)
  return { ports, others: allow.filter((rule) => !(isForAll(rule) && ports.includes(rule.port))) }
}

/** Returns the commands with which the operator lets in what a rule says. */
export function toolCommands(tool: 'ufw' | 'firewalld', { port, protocol, from }: AllowRule): readonly string[] {
  if (tool === 'ufw')
    return (from ?? ['any']).map((source) => `ufw allow proto ${protocol} from ${source} to any port ${port}`)
  if (from === undefined) return [`firewall-cmd --permanent --add-port=${port}/${protocol} && firewall-cmd --reload`]
  return from.map((source) => {
    const family = isIP(source.split('/')[0] ?? '') === 6 ? 'ipv6' : 'ipv4'
    const rule = `rule family="${family}" source address="${source}" port port="${port}" protocol="${protocol}" accept`
    return `firewall-cmd --permanent --add-rich-rule='${rule}' && firewall-cmd --reload`
  })
}
