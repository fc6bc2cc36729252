/** Whatever throws in a judgement is a refusal that is in the ledger, with an error that says whether to come again. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ports, UpstreamResponse } from '../../../server/core/ports.ts'
import type { LocalStep } from '../../../server/core/step.ts'
import { completion } from '../model-server.ts'
import { answerOf, bracketStep, createBench, decide, governed, requestOf } from './gateway-fixture.ts'

const throws = (): never => {
  throw new Error('gone')
}

const chat = (content: string): object => ({ model: 'm', messages: [{ role: 'user', content }] })

/** JSON that is nested as deep. */
const nested = (depth: number): object =>
  Array.from({ length: depth }).reduce<object>((inner) => [inner], ['x']) as object

const said = (content: string) => (): UpstreamResponse => answerOf([JSON.stringify(completion(content))])

/** Points where nothing is, so what it finds can't be taken out. */
const LOST: LocalStep = {
  ...bracketStep,
  inspect: () => [{ kind: 'pii.iban', severity: 'high', pointer: '/nowhere', span: [0, 4], confidence: 1 }],
}

const STEP_THROWS: LocalStep = { ...bracketStep, inspect: throws }

/** Throws when the entry is built, which needs an id, and not before the decision has got its own. */
function randomThatFailsOnce(): Ports['random'] {
  let calls = 0
  const bytes: Ports['random']['bytes'] = (count) => (++calls === 2 ? throws() : new Uint8Array(count))
  return { bytes }
}

type Fault = Readonly<{
  what: string
  body?: object
  answer?: () => UpstreamResponse
  ports?: () => Partial<Ports>
  steps?: readonly LocalStep[]
  error: readonly [status: number, code: string]
}>

const FAULTS: readonly Fault[] = [
  { what: 'a step', steps: [STEP_THROWS], error: [503, 'governance.unavailable'] },
  {
    what: 'the policy',
    ports: () => ({ policy: { revision: 'f'.repeat(64), decide: throws } }),
    error: [503, 'governance.unavailable'],
  },
  { what: 'the redaction', steps: [LOST], error: [422, 'request.too_complex'] },
  { what: 'the reading of a deep body', body: { model: 'm', deep: nested(200) }, error: [422, 'request.too_complex'] },
  {
    what: 'the reading of a deep answer',
    answer: () => answerOf([JSON.stringify({ choices: nested(200) })]),
    error: [502, 'upstream.malformed'],
  },
  {
    what: 'what an entry says beside the decision',
    ports: () => ({ routes: [{ models: { test: throws } as never, upstream: undefined as never }] }),
    error: [503, 'governance.unavailable'],
  },
  { what: 'the entry', ports: () => ({ random: randomThatFailsOnce() }), error: [503, 'governance.unavailable'] },
]

for (const { what, body = chat('hello'), answer = said('hi'), ports, steps = [bracketStep], error } of FAULTS) {
  test(`recorded as a refusal: ${what} throws`, async () => {
    const bench = createBench(
      answer,
      { policy: { revision: 'f'.repeat(64), decide: async (i, id) => decide(i, id) }, ...ports?.() },
      steps,
    )
    const reply = await governed(bench.gateway, requestOf(body))
    if (reply.kind !== 'json') throw new Error('a stream')
    const { code } = (JSON.parse(reply.text) as { error: { code: string } }).error
    assert.deepEqual([reply.status, code], error)
    const last = bench.entries.at(-1)
    assert.deepEqual([last?.decision, last?.details['released']], ['block', false])
    // A refused answer was forwarded for; a refused request was not.
    assert.equal(bench.forwarded.length, last?.details['stage'] === 'response' ? 1 : 0)
  })
}
