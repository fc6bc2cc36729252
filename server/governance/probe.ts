/**
 * A governed call of the process itself, by which it finds out whether it can govern one: steps, rate limit, policy, model and ledger are those of every call. The
 * built-in model answers, so no provider is asked. In the ledger it is an agent's that nobody can create.
 */
import type { Agent } from '../core/call.ts'
import type { Gateway } from '../pipeline/gateway.ts'
import { govern } from './govern.ts'

/** The agent of these calls. An id of an agent begins with a letter or a digit, so this one is nobody's. */
export const PROBE_AGENT: Agent = {
  id: '_probe',
  uuid: '00000000-0000-4000-8000-000000000000',
  org: '00000000-0000-4000-8000-000000000001',
}

const BODY = { model: 'echo', messages: [{ role: 'user', content: 'Is a call governed here?' }] }

/** Makes the call. Returns undefined when it was answered and recorded, otherwise what came of it, in a word. `id` is that of the call. */
export async function probeCall(gateway: Gateway, id: string): Promise<string | undefined> {
  const text = JSON.stringify(BODY)
  const result = await govern(gateway, {
    ...{ id, path: '/chat/completions', agent: PROBE_AGENT, session: `probe_${id}`, isNewSession: true, flags: {} },
    ...{ body: BODY, text, bodyBytes: text.length, signal: new AbortController().signal },
  })
  switch (result.status) {
    case 'answered':
      return result.upstream.status === 200 ? undefined : `answered ${result.upstream.status}`
    case 'failed':
      return result.code
    case 'refused': {
      const { verdict } = result.decision
      return 'reasons' in verdict ? verdict.reasons.map(({ kind }) => kind).join(' ') : 'refused'
    }
    case 'streamed':
      return 'streamed'
  }
}
