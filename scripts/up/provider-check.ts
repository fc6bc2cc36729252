/** Whether a model provider takes a key, asked by listing its models. Only a plain refusal counts as one. */

/** `unknown` when it could not be asked or answered something else. */
export type ProviderOpinion = 'accepted' | 'refused' | 'unknown'

/** OpenAI's own API, which the gateway calls too when it has a key and no other address. */
const OPENAI_BASE = 'https://api.openai.com/v1'

/** Asks the provider at `upstream` (OpenAI when undefined) about a key, for `timeoutMs` at most. Never throws. */
export async function askProvider(
  key: string,
  upstream: string | undefined,
  timeoutMs: number,
): Promise<ProviderOpinion> {
  try {
    const { status, body } = await fetch(`${upstream ?? OPENAI_BASE}/models`, {
      headers: { authorization: `Bearer ${key}` },
      signal: AbortSignal.timeout(timeoutMs),
    })
    await body?.cancel()
    if (status === 401 || status === 403) return 'refused'
    return status < 300 ? 'accepted' : 'unknown'
  } catch {
    return 'unknown'
  }
}
