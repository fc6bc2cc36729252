/** What the gateway must not reach: link-local addresses and the metadata services of clouds, which give out the machine's own credentials. */
import { BlockList, isIP } from 'node:net'

const DENIED = [
  ['169.254.0.0', 16, 'ipv4'],
  ['fe80::', 10, 'ipv6'],
  // Amazon's and Google's over IPv6, Alibaba's over IPv4.
  ['fd00:ec2::254', 128, 'ipv6'],
  ['fd20:ce::254', 128, 'ipv6'],
  ['100.100.100.200', 32, 'ipv4'],
] as const

function isDenied(address: string): boolean {
  const version = isIP(address)
  if (version === 0) return false
  const denied = new BlockList()
  for (const [network, bits, family] of DENIED) denied.addSubnet(network, bits, family)
  return denied.check(address, version === 4 ? 'ipv4' : 'ipv6')
}

function hostOf(url: string | undefined): readonly string[] {
  return url !== undefined && URL.canParse(url) ? [new URL(url).hostname.replace(/^\[(.*)\]$/, '$1')] : []
}

/**
 * Returns the lines of the gateway's unit. What it needs stays open: a model server or a collector of traces there, and a resolver (that of Google's cloud has the address
 * of the metadata service).
 */
export function egressRules(addresses: readonly (string | undefined)[], resolvers: readonly string[]): string {
  const needed = [...addresses.flatMap(hostOf), ...resolvers.map((address) => address.replace(/%.*/, ''))].filter(
    isDenied,
  )
  const deny = `IPAddressDeny=${DENIED.map(([network, bits]) => `${network}/${bits}`).join(' ')}`
  return needed.length === 0 ? deny : `${deny}\nIPAddressAllow=${[...new Set(needed)].join(' ')}`
}
