/** A gateway whose hands are stand-ins, so that each of them can be made to fail. The core is the real one. */

import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Entry } from '../../../server/core/entry.ts'
import { createFamilyRegistry } from '../../../server/core/finding-family.ts'
import type { Ports, UpstreamResponse } from '../../../server/core/ports.ts'
import type { LocalStep, Step } from '../../../server/core/step.ts'
import { type PolicyInput, UNTAINTED, type Verdict } from '../../../server/core/verdict.ts'
import { govern } from '../../../server/governance/govern.ts'
import type { GovernedRequest } from '../../../server/governance/governed-request.ts'
import { type Reply, replyOf } from '../../../server/http/call-reply.ts'
import type { Gateway } from '../../../server/pipeline/gateway.ts'
import { readBytes } from '../../../server/protocol/upstream-response.ts'
import { readFamilies } from '../../../server/rules/rule-source.ts'

/** What happened, in order: `append govern_allow`, `forward /chat/completions`. */
export type Events = string[]

/** The built-in families. */
export const REGISTRY = createFamilyRegistry(readFamilies())

/** A gateway with its diary and its ledger's entries. */
export type Bench = Readonly<{ gateway: Gateway; events: Events; entries: Entry[]; forwarded: string[] }>

/** A step that finds whatever stands in brackets: `[pii.iban]` is a finding of that kind over the brackets. */
export const bracketStep: LocalStep = {
  name: 'brackets',
  position: 1,
  category: 'test',
  stages: ['request', 'response'],
  matchCharsMax: 32,
  inspect: ({ segments }) =>
    segments.flatMap(({ pointer, text }) =>
      [...text.matchAll(/\[([a-z]+\.[a-z_]+)\]/g)].map((match) => ({
        kind: match[1] ?? '',
        severity: 'high' as const,
        pointer,
        span: [match.index, match.index + match[0].length] as const,
        confidence: 1,
      })),
    ),
}

/** Blocks on secrets, on steps that failed; redacts personal data. */
export function decide({ outcomes }: PolicyInput, decisionId: string): Verdict {
  const head = { policy: 'f'.repeat(64), decisionId, classification: 'PUBLIC', taint: UNTAINTED }
  const failed = outcomes.filter(({ status }) => status !== 'done')
  const found = outcomes.flatMap(({ step, findings }) => findings.map(({ kind }) => ({ step, kind })))
  const bad = found.filter(({ kind }) => !kind.startsWith('pii.'))
  const reasons = [...failed.map(({ step }) => ({ step, kind: 'step.failed' })), ...bad]
  if (reasons.length > 0) return { ...head, action: 'block', reasons }
  const kinds = [...new Set(found.map(({ kind }) => kind))]
  return kinds.length > 0 ? { ...head, action: 'redact', kinds } : { ...head, action: 'allow' }
}

/** The parts as they come over time: between two of them others have their turn. */
export async function* dripped<T>(parts: Iterable<T>): AsyncGenerator<T> {
  for (const part of parts) {
    yield part
    // A read takes what is at hand in one turn, and so has its own by then.
    for (let turn = 0; turn < 3; turn++) await nextTurn()
  }
}

/** An answer of a model server. */
export function answerOf(
  parts: Iterable<Uint8Array | string> | AsyncIterable<Uint8Array | string>,
  type = 'application/json',
  status = 200,
): UpstreamResponse {
  async function* body(): AsyncGenerator<Uint8Array> {
    for await (const part of parts) yield typeof part === 'string' ? Buffer.from(part) : part
  }
  const bytes = body()
  return {
    status,
    headers: { 'content-type': type },
    body: bytes,
    bytes: (bodyBytesMax) => readBytes(bytes, bodyBytesMax),
  }
}

/** Makes a gateway; `ports` and `steps` replace what is to be different. */
export function createBench(
  answer: () => UpstreamResponse,
  ports: Partial<Ports> = {},
  steps: readonly Step[] = [bracketStep],
): Bench {
  const events: Events = []
  const entries: Entry[] = []
  const forwarded: string[] = []
  let count = 0
  const upstream = {
    name: 'stand-in',
    forward: async (path: string, body: string | undefined) => {
      events.push(`forward ${path}`)
      forwarded.push(body ?? '')
      return answer()
    },
    close: async () => {},
  }
  const ledger = {
    append: async (entry: Entry): Promise<void> => {
      events.push(`append ${entry.eventType}`)
      entries.push(entry)
    },
    change: () => Promise.reject(new Error('no changes here')),
    head: () => undefined,
    open: async () => {},
    close: async () => {},
  }
  const gateway: Gateway = {
    registry: REGISTRY,
    steps,
    limits: { callsMax: 10, windowMs: 1000, bodyBytesMax: 1_000_000 },
    aliasKey: new Uint8Array(32),
    ports: {
      ledger,
      routes: [{ models: /^/, upstream }],
      policy: { revision: 'f'.repeat(64), decide: async (input, id) => decide(input, id) },
      limiter: {
        take: async () => ({ isAllowed: true, remaining: 9, resetMs: 100 }),
        ping: async () => {},
        close: async () => {},
      },
      taints: { of: async () => [], prune: async () => {} },
      meter: { count: () => {}, observe: () => {} },
      clock: { nowMs: () => 1_732_500_000_000, elapsedMs: () => (count += 10) },
      random: { bytes: (bytes) => new Uint8Array(bytes).fill(count++ % 256) },
      ...ports,
    },
  }
  return { gateway, events, entries, forwarded }
}

/** A request past the door. */
export function requestOf(body: object, more: Partial<GovernedRequest> = {}): GovernedRequest {
  return {
    id: 'req_1',
    path: '/chat/completions',
    agent: { id: 'bot', uuid: 'ag_12345678', org: '00000000-0000-4000-8000-000000000001' },
    session: 'ses_1',
    flags: {},
    body,
    text: JSON.stringify(body),
    bodyBytes: JSON.stringify(body).length,
    signal: new AbortController().signal,
    ...more,
  }
}

/** Governs a request, and returns the reply that its client gets. */
export async function governed(gateway: Gateway, request: GovernedRequest): Promise<Reply> {
  return replyOf(await govern(gateway, request))
}
