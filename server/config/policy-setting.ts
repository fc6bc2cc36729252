/** The settings of the policy engine: in this process, or an OPA server. */
import { isPrivateHost } from '../../contract/private-network.ts'

/** What decides. */
export type PolicyConfig = Readonly<{ engine: 'embedded' } | { engine: 'opa'; url: string }>

/** The settings that it is about. */
export type PolicySettings = Readonly<{
  TAPPASS_POLICY_ENGINE?: 'embedded' | 'opa' | undefined
  OPA_URL?: string | undefined
}>

/** Returns what is missing or contradictory. */
export function policyProblems({ TAPPASS_POLICY_ENGINE: engine, OPA_URL: address }: PolicySettings): readonly string[] {
  if (address === undefined) return engine === 'opa' ? ['OPA_URL is missing: TAPPASS_POLICY_ENGINE is opa'] : []
  if (engine === 'embedded') return ['OPA_URL is set, but TAPPASS_POLICY_ENGINE is embedded; leave one of them out']
  const { protocol, hostname } = new URL(address)
  return protocol === 'http:' && !isPrivateHost(hostname)
    ? ['OPA_URL is http: on a network of others, where anybody may decide in its place; use https: or unix:']
    : []
}

/** Returns the engine of valid settings: an address of OPA is enough to name it. */
export function policyOf({ OPA_URL: url }: PolicySettings): PolicyConfig {
  return url === undefined ? { engine: 'embedded' } : { engine: 'opa', url }
}
