/** Hosts on this machine or in its own network, as opposed to those that are reached over other people's networks. */
import { BlockList, isIP } from 'node:net'

/**
 * Loopback (RFC 1122, RFC 4291), private (RFC 1918, RFC 4193), link-local (RFC 3927, RFC 4291) and shared (RFC 6598) addresses. IPv4
 * addresses that are written as IPv6 fall under them too.
 */
export const PRIVATE_NETWORKS = [
  ['127.0.0.0', 8, 'ipv4'],
  ['10.0.0.0', 8, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['100.64.0.0', 10, 'ipv4'],
  ['::1', 128, 'ipv6'],
  ['fc00::', 7, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
] as const

/** Names that public DNS never has: RFC 6761, RFC 6762, RFC 8375, and `internal`, which ICANN reserves for private use. */
const PRIVATE_NAME = /\.(?:localhost|local|internal|home\.arpa)$/

/**
 * Takes a host as `URL.hostname` has it. A name is private when only a resolver of its own network can know it: one without a dot, or
 * below one of the reserved names.
 */
export function isPrivateHost(hostname: string): boolean {
  const host = hostname
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .toLowerCase()
  const version = isIP(host)
  if (version === 0) return !host.includes('.') || PRIVATE_NAME.test(host)
  return privateNetworks().check(host, version === 4 ? 'ipv4' : 'ipv6')
}

function privateNetworks(): BlockList {
  const networks = new BlockList()
  for (const [network, bits, family] of PRIVATE_NETWORKS) networks.addSubnet(network, bits, family)
  return networks
}
