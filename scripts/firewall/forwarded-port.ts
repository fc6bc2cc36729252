/** Ports that are led on to somebody else: those that Docker publishes, and those of rules of nftables and iptables that rewrite where a packet goes. */

/** A port, and whose it is. */
export type Port = Readonly<{ protocol: 'tcp' | 'udp'; port: number; program: string }>

/** Returns the ports of `80`, `8000-8010` and `8000:8010`. */
function portsOf(range: string): readonly number[] {
  const [first = Number.NaN, last = first] = range.split(/[-:]/).map(Number)
  return Number.isInteger(first) && Number.isInteger(last) && first > 0 && first <= last && last <= 65_535
    ? Array.from({ length: last - first + 1 }, (_, index) => first + index)
    : []
}

const isLoopback = (address: string): boolean => /^(127\.|\[?::1\]?$)/.test(address)

/** Rows of `docker ps`: a name, and `0.0.0.0:8000-8001->80-81/tcp, [::]:53->53/udp, 6379/tcp`. */
export function publishedPorts(text: string): readonly Port[] {
  return text.split('\n').flatMap((row) => {
    const [name = ''] = row.split(' ')
    return [...row.matchAll(/(\S+):(\d+(?:-\d+)?)->\S+\/(tcp|udp)/g)].flatMap(
      ([, address = '', range = '', protocol]) =>
        isLoopback(address)
          ? []
          : portsOf(range).map((port) => ({
              protocol: protocol === 'udp' ? ('udp' as const) : ('tcp' as const),
              port,
              program: `container ${name}`,
            })),
    )
  })
}

/** A rule of nft, or of iptables-save: which protocol, which ports. */
const RULES = [/\b(tcp|udp) dport (\{[^}]*\}|\d+(?:-\d+)?)/, /-p (tcp|udp) .*--dports? (\d[\d,:]*)/] as const

/** Rows with DNAT. Rules without a port, or for packets from this host to itself, say nothing about others. */
export function forwardedPorts(text: string): readonly Port[] {
  return text.split('\n').flatMap((row) => {
    if (/(daddr|-d) (127\.|::1)/.test(row)) return []
    const [, protocol, ports = ''] = RULES.map((rule) => rule.exec(row)).find((match) => match !== null) ?? []
    return ports
      .replaceAll(/[{}\s]/g, '')
      .split(',')
      .flatMap(portsOf)
      .map((port) => ({ protocol: protocol === 'udp' ? 'udp' : 'tcp', port, program: 'forwarded' }))
  })
}
