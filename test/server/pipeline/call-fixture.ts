/** Calls for tests of steps. */
import type { Call } from '../../../server/core/call.ts'
import type { Finding } from '../../../server/core/finding.ts'
import type { LocalStep, Step } from '../../../server/core/step.ts'
import type { FindingCache } from '../../../server/pipeline/finding-cache.ts'
import type { StepRunner } from '../../../server/pipeline/step-runner.ts'
import { project } from '../../../server/protocol/projection.ts'

/** A call with this body, projected. */
export function callOf(body: unknown, more: Partial<Call> = {}): Call {
  return {
    id: 'call-1',
    stage: 'request',
    agent: { id: 'bot', uuid: 'ag_12345678', org: 'default' },
    session: undefined,
    model: 'echo',
    isStream: false,
    flags: {},
    body,
    bodyBytes: Buffer.byteLength(JSON.stringify(body)),
    segments: project(body),
    ...more,
  }
}

/** What a step finds in one text; the author is `user` unless told. */
export async function inspectText(
  step: LocalStep,
  text: string,
  author: Call['segments'][number]['author'] = 'user',
): Promise<readonly Finding[]> {
  const call = callOf({}, { segments: [{ pointer: '/t', author, text }] })
  return step.inspect(call, undefined as never)
}

/** What runs these steps; the time stands still, and the limiter lets everything pass. */
export function runnerOf(steps: readonly Step[], findingCache?: FindingCache): StepRunner {
  return {
    steps,
    limits: { callsMax: 1, windowMs: 1, bodyBytesMax: 5_000_000 },
    ports: {
      clock: { nowMs: () => 0, elapsedMs: () => 0 },
      limiter: {
        take: async () => ({ isAllowed: true, remaining: 0, resetMs: 0 }),
        ping: async () => {},
        close: async () => {},
      },
      meter: { count: () => {}, observe: () => {} },
    },
    ...(findingCache === undefined ? {} : { findingCache }),
  }
}
