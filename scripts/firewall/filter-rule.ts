/** The rules of our packet filter, of the ports that settings and the SSH server say. */
import { isIP } from 'node:net'
import type { AllowRule } from './firewall-spec.ts'

type Protocol = AllowRule['protocol']

function setOf(values: readonly (number | string)[]): string {
  return `{ ${values.join(', ')} }`
}

/** The sources of a rule by family; one empty match where everybody is let in. */
function sourceMatches(from: readonly string[] | undefined): readonly string[] {
  if (from === undefined) return ['']
  const families = [
    ['ip', from.filter((each) => isIP(each.split('/')[0] ?? '') === 4)],
    ['ip6', from.filter((each) => isIP(each.split('/')[0] ?? '') === 6)],
  ] as const
  return families.flatMap(([family, networks]) =>
    networks.length === 0 ? [] : [`${family} saddr ${setOf(networks)} `],
  )
}

/** To the host itself. */
function inputRule({ port, protocol, from }: AllowRule): readonly string[] {
  return sourceMatches(from).map((source) => `${source}${protocol} dport ${port} accept`)
}

/** By number: names of protocols are known only where netbase is installed. */
const PROTOCOL_NUMBERS: Readonly<Record<Protocol, number>> = { tcp: 6, udp: 17 }

/** To a container: Docker has rewritten the port already, so the one that was asked for counts. */
function containerRule({ port, protocol, from }: AllowRule): readonly string[] {
  return sourceMatches(from).map(
    (source) =>
      `ct status dnat meta l4proto ${PROTOCOL_NUMBERS[protocol]} ${source}ct original proto-dst ${port} accept`,
  )
}

function openRule(protocol: Protocol, ports: readonly number[]): readonly string[] {
  return ports.length === 0 ? [] : [`${protocol} dport ${setOf(ports)} accept`]
}

/**
 * Returns the rules for the template, a line each: `input` for the host, `containers` for ports that Docker publishes. `ssh` and `ingress` are TCP
 * ports that are open to everybody, `ingressUdp` UDP ports.
 */
export function packetFilterRules(
  open: Readonly<{ ssh: readonly number[]; ingress: readonly number[]; ingressUdp: readonly number[] }>,
  allow: readonly AllowRule[],
): Readonly<{ input: readonly string[]; containers: readonly string[] }> {
  const ports = [...new Set([...open.ssh, ...open.ingress])].toSorted((a, b) => a - b)
  return {
    input: [...openRule('tcp', ports), ...openRule('udp', open.ingressUdp), ...allow.flatMap(inputRule)],
    containers: allow.flatMap(containerRule),
  }
}

/** Returns the TCP ports that a ruleset of ours opens to everybody for SSH and the ingress. */
export function openTcpPorts(ruleset: string): readonly number[] {
  const [, ports = ''] = /^\s*tcp dport \{ ([\d, ]+) \} accept$/m.exec(ruleset) ?? []
  return ports === '' ? [] : ports.split(', ').map(Number)
}
