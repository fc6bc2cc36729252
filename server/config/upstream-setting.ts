/** Where calls go, and with which key. */
import { isPrivateHost } from '../../contract/private-network.ts'

/**
 * The model server; undefined when none is set. OpenAI's own address is used only when there is a key for it and no other address. `proxy` is the
 * way to one with https://; a server without TLS is in the own network, and what a proxy would be for is not.
 */
export function upstreamOf(
  address: string | undefined,
  key: string | undefined,
  proxy: string | undefined,
): Readonly<{ url: string; key: string | undefined; proxy?: string }> | undefined {
  const url = address?.replace(/\/+$/, '') || (key ? 'https://api.openai.com/v1' : undefined)
  if (url === undefined) return undefined
  return { url, key, ...(proxy && url.startsWith('https:') ? { proxy } : {}) }
}

/** Warnings about the way there. */
export function upstreamWarnings(address: string | undefined, key: string | undefined): readonly string[] {
  if (!address || !key) return []
  const { protocol, hostname } = new URL(address)
  if (protocol === 'https:' || isPrivateHost(hostname)) return []
  return [`OPENAI_API_KEY and the prompts travel unencrypted to ${hostname}: give TAPPASS_UPSTREAM_URL with https://`]
}
