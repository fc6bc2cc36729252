/** Warns of an unencrypted connection to the model server: plain http is accepted on the same machine and in private networks only. */
import { BlockList, isIPv6 } from 'node:net'
import type { FailureText } from '../core/failure.ts'

/** Loopback, private (RFC 1918, RFC 4193), link-local and shared (RFC 6598) addresses. */
const PRIVATE_NETWORKS = [
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

/** Names that never exist in public DNS: RFC 6761, RFC 6762, RFC 8375, and ICANN's `internal`. A name without a dot is local to the network. */
function isPrivateName(name: string): boolean {
  return !name.includes('.') || /\.(localhost|local|internal|home\.arpa)$/.test(name)
}

function isPrivateHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
  const addresses = new BlockList()
  for (const [net, prefix, kind] of PRIVATE_NETWORKS) addresses.addSubnet(net, prefix, kind)
  if (isIPv6(host)) return addresses.check(host, 'ipv6')
  return /^\d+(\.\d+){3}$/.test(host) ? addresses.check(host) : isPrivateName(host)
}

/** Returns the warning for a specification, or undefined. Pure. The address is shown without user and password. */
export function upstreamWarning(
  spec: Readonly<{ gateway: Readonly<{ upstream?: string | undefined }> }>,
): FailureText | undefined {
  const { upstream } = spec.gateway
  if (upstream === undefined || !URL.canParse(upstream)) return undefined
  const { protocol, host, hostname } = new URL(upstream)
  if (protocol !== 'http:' || isPrivateHost(hostname)) return undefined
  return {
    what: `calls to the model server at ${host} are not encrypted`,
    why: 'its address begins with http: and is not on this machine or in a private network, so the API key and every prompt can be read in transit',
    next: `use https://${host}, or an address in a private network`,
  }
}
