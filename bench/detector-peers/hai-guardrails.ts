/** hai-guardrails of Presidio (the company), from npm: its injection guard by patterns. */
import { join } from 'node:path'
import { list, member } from '../detector-peer.ts'
import { type LoadJudge, npmPeer } from '../npm-peer.ts'

/** By patterns: its other way without a model, `heuristic`, takes seconds for a line or two (8 s of processor a KB, measured). */
export const loadJudge: LoadJudge = async (packages) => {
  const { injectionGuard, GuardrailsEngine } = await import(
    join(packages, '@presidio-dev/hai-guardrails/dist/index.js')
  )
  const guard = injectionGuard({ roles: ['user'] }, { mode: 'pattern', threshold: 0.7 })
  const engine = new GuardrailsEngine({ guards: [guard] })
  return async (text) => {
    const { messagesWithGuardResult } = await engine.run([{ role: 'user', content: text }])
    return messagesWithGuardResult
  }
}

/** The peer, with versions of what it needs, which its package leaves open. */
export const peer = npmPeer(
  {
    name: '@presidio-dev/hai-guardrails',
    version: '1.11.1',
    family: 'injection',
    does: 'its injection guard by patterns, threshold 0.7; its heuristics take 8 s of processor a KB. 1.12.0 ends at its start (its issue 107)',
    read: (said) =>
      list(said).flatMap((guard) =>
        list((guard as { messages?: unknown }).messages).flatMap((message) =>
          member(message, 'passed', 'boolean') ? [] : [{ kind: member(guard, 'guardId', 'string') }],
        ),
      ),
  },
  import.meta.filename,
  {
    '@langchain/core': '0.3.80',
    jsonrepair: '3.15.0',
    pino: '9.14.0',
    'string-similarity': '4.0.4',
    'ts-pattern': '5.9.2',
    zod: '3.25.76',
  },
)
