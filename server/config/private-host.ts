/** Tells hosts on this machine or in its private network from hosts that are reached over public networks. */
import { BlockList, isIP } from 'node:net'

/** RFC 1122 and 1918, 3927 and 4291 (link-local), 4193. IPv4 addresses that are written as IPv6 fall under them too. */
const PRIVATE_IPV4 = [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
] as const
const PRIVATE_IPV6 = [
  ['::1', 128],
  ['fe80::', 10],
  ['fc00::', 7],
] as const

/**
 * Given a host as `URL.hostname` formats it. A name is private when only a resolver of its own network can know it:
 * one without a dot, or below `localhost` (RFC 6761), `local` (RFC 6762) or `internal` (reserved by ICANN).
 */
export function isPrivateHost(hostname: string): boolean {
  const host = hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')
  const version = isIP(host)
  if (version === 0) return !host.includes('.') || /\.(?:localhost|local|internal)$/.test(host)
  return privateNetworks().check(host, version === 4 ? 'ipv4' : 'ipv6')
}

function privateNetworks(): BlockList {
  const networks = new BlockList()
  for (const [network, bits] of PRIVATE_IPV4) networks.addSubnet(network, bits, 'ipv4')
  for (const [network, bits] of PRIVATE_IPV6) networks.addSubnet(network, bits, 'ipv6')
  return networks
}
