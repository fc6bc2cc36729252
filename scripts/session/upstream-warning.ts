/** Warns of an unencrypted connection to the model server: plain http is accepted on the same machine and in private networks only. */
import { isPrivateHost } from '../../contract/private-network.ts'
import type { FailureText } from '../core/failure.ts'

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
