/** The packet filter of a host, as its settings want it. */
import { render } from '../core/template.ts'
import type { ExposedPort } from './exposed-port.ts'
import { packetFilterRules } from './filter-rule.ts'
import { type FirewallSpec, type OutboundRule, toolCommands, toolRules } from './firewall-spec.ts'
import { outboundNetworks } from './outbound.ts'

/** The TCP ports of the SSH server are not a setting: they are those where it listens. */
export type FilterOptions = Readonly<{
  /** The ruleset, with these TCP ports (those of the SSH server) open besides. With false nothing that goes out is closed yet. */
  content: (ssh: readonly number[], shouldCloseOutbound?: boolean) => string
  unit: string
  /** TCP ports of the ingress. */
  ingress: readonly number[]
  /** Whether the settings close what goes out. */
  isOutboundClosed: boolean
  /** Ports that the settings let in already. */
  isAllowed: (port: ExposedPort) => boolean
  /** What the settings let in that our rule in this tool does not say: the commands with which its operator does. */
  commandsFor: (tool: 'ufw' | 'firewalld') => readonly string[]
}>

/**
 * Returns them; undefined where none is wanted. `ingress` are its TCP ports, `ingressUdp` its UDP ports, `outbound` is all that is let out, undefined where nothing is closed.
 * `template` and `unit` are the texts of the ruleset and of the unit.
 */
export function filterOptions(
  firewall: FirewallSpec,
  {
    ingress,
    ingressUdp,
    outbound,
  }: Readonly<{
    ingress: readonly number[]
    ingressUdp: readonly number[]
    outbound: readonly OutboundRule[] | undefined
  }>,
  { template, unit }: Readonly<{ template: string; unit: string }>,
): FilterOptions | undefined {
  if (firewall === 'none') return undefined
  const { allow } = firewall
  return {
    content: (ssh, shouldCloseOutbound = true) =>
      render(template, {
        ...packetFilterRules({ ssh, ingress, ingressUdp }, allow),
        isOutboundClosed: shouldCloseOutbound && outbound !== undefined,
        outboundNetworks: outboundNetworks(outbound ?? []),
      }),
    unit,
    ingress,
    isOutboundClosed: outbound !== undefined,
    isAllowed: ({ protocol, port }) =>
      (protocol === 'tcp' && ingress.includes(port)) ||
      (protocol === 'udp' && ingressUdp.includes(port)) ||
      allow.some((rule) => rule.protocol === protocol && rule.port === port),
    commandsFor: (tool) => toolRules(firewall, ingress).others.flatMap((rule) => toolCommands(tool, rule)),
  }
}
