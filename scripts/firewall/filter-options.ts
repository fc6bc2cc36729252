/** The packet filter of a host, as its settings want it. */
import { render } from '../core/template.ts'
import type { ExposedPort } from './exposed-port.ts'
import { packetFilterRules } from './filter-rule.ts'
import { type FirewallSpec, toolCommands, toolRules } from './firewall-spec.ts'

/** The TCP ports of the SSH server are not a setting: they are those where it listens. */
export type FilterOptions = Readonly<{
  /** The ruleset, with these TCP ports (those of the SSH server) open besides. */
  content: (ssh: readonly number[]) => string
  unit: string
  /** TCP ports of the ingress. */
  ingress: readonly number[]
  /** Ports that the settings let in already. */
  isAllowed: (port: ExposedPort) => boolean
  /** What the settings let in that our rule in this tool does not say: the commands with which its operator does. */
  commandsFor: (tool: 'ufw' | 'firewalld') => readonly string[]
}>

/** Returns them; undefined where none is wanted. `template` and `unit` are the texts of the ruleset and of the unit. */
export function filterOptions(
  firewall: FirewallSpec,
  ingress: readonly number[],
  { template, unit }: Readonly<{ template: string; unit: string }>,
): FilterOptions | undefined {
  if (firewall === 'none') return undefined
  const { allow } = firewall
  return {
    content: (ssh) => render(template, packetFilterRules({ ssh, ingress }, allow)),
    unit,
    ingress,
    isAllowed: ({ protocol, port }) =>
      (protocol === 'tcp' && ingress.includes(port)) ||
      allow.some((rule) => rule.protocol === protocol && rule.port === port),
    commandsFor: (tool) => toolRules(firewall, ingress).others.flatMap((rule) => toolCommands(tool, rule)),
  }
}
