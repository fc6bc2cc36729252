/** What is let out of a host: a list of names and addresses, whose addresses the host finds by itself, and rules for networks. */
import { isIP } from 'node:net'
import type { OutboundRule } from './firewall-spec.ts'

const PROTOCOL_NUMBERS = { tcp: 6, udp: 17 } as const

const isNetwork = (to: string): boolean => to.includes('/')

const HEADING =
  '# Who is let out: protocol, port, and a name or an address. Written by the toolkit; the setting firewall.outbound decides.'

/** Returns the rows of the list, sorted, each once: `tcp 443 api.example.com`. Networks have rules instead. */
export function outboundRows(rules: readonly OutboundRule[]): readonly string[] {
  const rows = rules.flatMap(({ port, protocol, to }) =>
    to.filter((each) => !isNetwork(each)).map((each) => `${protocol} ${port} ${each.toLowerCase()}`),
  )
  return [...new Set(rows)].toSorted()
}

/** Returns the text of the list. */
export function outboundText(rows: readonly string[]): string {
  return [HEADING, ...rows, ''].join('\n')
}

/** Returns the rows of a list's text. */
export function rowsOf(text: string): readonly string[] {
  return text.split('\n').filter((row) => row !== '' && !row.startsWith('#'))
}

/** Returns the rules of networks, a line each. */
export function outboundNetworks(rules: readonly OutboundRule[]): readonly string[] {
  return rules.flatMap(({ port, protocol, to }) =>
    to.filter(isNetwork).map((network) => {
      const family = isIP(network.split('/')[0] ?? '') === 6 ? 'ip6' : 'ip'
      return `${family} daddr ${network} meta l4proto ${PROTOCOL_NUMBERS[protocol]} th dport ${port} accept`
    }),
  )
}

/** Whether a ruleset of ours closes what goes out. */
export function closesOutbound(ruleset: string): boolean {
  return /^ {2}chain outbound \{$/m.test(ruleset)
}
