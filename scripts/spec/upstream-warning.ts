/** Whether calls to the model server can be read on their way: plain http is fine on the machine and in a private network, and nowhere else. */
import { BlockList, isIPv6 } from 'node:net'
import type { FailureText } from '../core/failure.ts'

/** Loopback, private (RFC 1918, RFC 4193), link-local and shared (RFC 6598) addresses. */
const NEARBY = [
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

/** Names that public DNS never has: RFC 6761, RFC 6762, RFC 8375, and ICANN's `internal`. A name without a dot is of the network's own. */
function isNearbyName(name: string): boolean {
  return !name.includes('.') || /\.(localhost|local|internal|home\.arpa)$/.test(name)
}

function isNearby(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
  const addresses = new BlockList()
  for (const [net, prefix, kind] of NEARBY) addresses.addSubnet(net, prefix, kind)
  if (isIPv6(host)) return addresses.check(host, 'ipv6')
  return /^\d+(\.\d+){3}$/.test(host) ? addresses.check(host) : isNearbyName(host)
}

/** Pure: what to warn of in a specification; undefined where there is nothing. The address is shown without its user and password. */
export function upstreamWarning(
  spec: Readonly<{ gateway: Readonly<{ upstream?: string | undefined }> }>,
): FailureText | undefined {
  const { upstream } = spec.gateway
  if (upstream === undefined || !URL.canParse(upstream)) return undefined
  const { protocol, host, hostname } = new URL(upstream)
  if (protocol !== 'http:' || isNearby(hostname)) return undefined
  return {
    what: `calls to the model server at ${host} are not encrypted`,
    why: 'its address begins with http: and is not of this machine or a private network, so the key and every prompt can be read on the way',
    next: `use https://${host}, or an address in a private network`,
  }
}
