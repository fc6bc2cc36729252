/** Verifies a provider's API key by listing its models. */

/** `unknown`: the provider is unreachable, or its response is neither success nor 401 or 403. */
export type ProviderKeyStatus = 'accepted' | 'rejected' | 'unknown'

/** OpenAI's API, which the gateway also uses when it has a key and no other address. */
const OPENAI_BASE = 'https://api.openai.com/v1'

/** Verifies a key at `upstream` (OpenAI when undefined), within `timeoutMs`. Never throws. */
export async function verifyProviderKey(
  key: string,
  upstream: string | undefined,
  timeoutMs: number,
): Promise<ProviderKeyStatus> {
  try {
    const { status, body } = await fetch(`${upstream ?? OPENAI_BASE}/models`, {
      headers: { authorization: `Bearer ${key}` },
      signal: AbortSignal.timeout(timeoutMs),
    })
    await body?.cancel()
    if (status === 401 || status === 403) return 'rejected'
    return status < 300 ? 'accepted' : 'unknown'
  } catch {
    return 'unknown'
  }
}
