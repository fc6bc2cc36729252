/** A governed call under every failure of its parts: nothing is forwarded, nothing leaves, and the client is told which. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createWasmPolicy } from '../../../server/adapters/opa-wasm.ts'
import { loadSteps } from '../../../server/adapters/step-folder.ts'
import type { Ledger, Ports } from '../../../server/core/ports.ts'
import type { LocalStep, RemoteStep, Step } from '../../../server/core/step.ts'
import type { Reply } from '../../../server/http/call-reply.ts'
import { policyDocument } from '../../../server/policy/policy-document.ts'
import { FAMILIES, testEngine } from '../detection/engine-fixture.ts'
import { completion } from '../model-server.ts'
import { privateKey } from '../rules/fixture.ts'
import {
  answerOf,
  type Bench,
  bracketStep,
  createBench,
  decide,
  governed,
  REGISTRY,
  requestOf,
} from './gateway-fixture.ts'

const hello = requestOf({ model: 'm', messages: [{ role: 'user', content: 'hello' }] })
const said = (content: string) => () => answerOf([JSON.stringify(completion(content))])

function whole(reply: Reply): Readonly<{ status: number; code: unknown; text: string }> {
  assert.equal(reply.kind, 'json')
  if (reply.kind !== 'json') throw new Error('a stream')
  const { error } = JSON.parse(reply.text) as { error?: { code: string } }
  return { status: reply.status, code: error?.code, text: reply.text }
}

const UNWELL = {
  name: 'unwell',
  position: 2,
  category: 'test',
  stages: ['request', 'response'],
  matchCharsMax: 32,
} as const
const stepThat = (inspect: LocalStep['inspect']): Step => ({ ...UNWELL, inspect })
const remoteStepThat = (inspect: RemoteStep['inspect']): Step => ({ ...UNWELL, timeoutMs: 5, inspect })

/** A ledger that takes `good` entries and then no more. */
function ledgerThatFailsAfter(good: number): Ledger {
  let left = good
  return {
    append: async () => {
      if (left-- > 0) return undefined as never
      throw new Error('the disk is full')
    },
    change: () => Promise.reject(new Error('no changes here')),
    head: () => undefined,
    open: async () => {},
    close: async () => {},
  }
}

const throws = (): never => {
  throw new Error('gone')
}

type Fault = Readonly<{
  what: string
  ports?: Partial<Ports>
  step?: Step
  status: number
  code: string
  forwards: number
}>

const FAULTS: readonly Fault[] = [
  {
    what: 'policy rejects',
    ports: { policy: { revision: '', decide: async () => throws() } },
    status: 503,
    code: 'governance.unavailable',
    forwards: 0,
  },
  {
    what: 'policy throws',
    ports: { policy: { revision: '', decide: throws } },
    status: 503,
    code: 'governance.unavailable',
    forwards: 0,
  },
  {
    what: 'policy fails on the answer only',
    ports: {
      policy: {
        revision: '',
        decide: async (input, id) => (input.stage === 'response' ? throws() : decide(input, id)),
      },
    },
    status: 503,
    code: 'governance.unavailable',
    forwards: 1,
  },
  {
    what: 'the ledger takes nothing',
    ports: { ledger: ledgerThatFailsAfter(0) },
    status: 503,
    code: 'ledger.unavailable',
    forwards: 0,
  },
  {
    what: 'the ledger does not take the answer',
    ports: { ledger: ledgerThatFailsAfter(1) },
    status: 503,
    code: 'ledger.unavailable',
    forwards: 1,
  },
  { what: 'a step throws', step: stepThat(throws), status: 503, code: 'governance.unavailable', forwards: 0 },
  {
    what: 'a step rejects',
    step: remoteStepThat(async () => throws()),
    status: 503,
    code: 'governance.unavailable',
    forwards: 0,
  },
  {
    what: 'a step never answers',
    step: remoteStepThat(() => new Promise(() => {})),
    status: 503,
    code: 'governance.unavailable',
    forwards: 0,
  },
  {
    what: 'a step fails on the answer only',
    step: stepThat(({ stage }) => (stage === 'response' ? throws() : [])),
    status: 503,
    code: 'governance.unavailable',
    forwards: 1,
  },
  {
    what: 'the limiter is gone',
    ports: { limiter: { take: async () => throws(), ping: async () => throws(), close: async () => {} } },
    step: remoteStepThat(async (_call, { limiter }) => {
      const allowance = await limiter.take('k', 1, 1, 1)
      return { findings: [], allowance }
    }),
    status: 503,
    code: 'governance.unavailable',
    forwards: 0,
  },
  {
    what: 'there is no model server for the model',
    ports: { routes: [] },
    status: 404,
    code: 'model.unknown',
    forwards: 0,
  },
  {
    what: 'the model server is out of reach',
    ports: {
      routes: [{ models: /^/, upstream: { name: 'x', forward: async () => throws(), close: async () => {} } }],
    },
    status: 502,
    code: 'upstream.unreachable',
    forwards: 0,
  },
]

for (const { what, ports, step, status, code, forwards } of FAULTS) {
  test(`refused: ${what}`, async () => {
    const bench = createBench(said('the answer'), ports, step ? [bracketStep, step] : [bracketStep])
    const reply = whole(await governed(bench.gateway, hello))
    assert.deepEqual([reply.status, reply.code], [status, code])
    assert.equal(bench.forwarded.length, forwards)
    assert.ok(!reply.text.includes('the answer'))
    assert.ok(!reply.text.includes('gone') && !reply.text.includes('disk'))
  })
}

const events = async (bench: Bench, body = hello): Promise<readonly string[]> => {
  await governed(bench.gateway, body)
  return bench.events
}

test('a call is recorded before it is forwarded, and its answer before it leaves', async () => {
  assert.deepEqual(await events(createBench(said('hello'))), [
    'append govern_allow',
    'forward /chat/completions',
    'append govern_allow',
  ])
})

test('a refused call is recorded and not forwarded', async () => {
  const secret = requestOf({ model: 'm', messages: [{ role: 'user', content: 'see [secret.key]' }] })
  const bench = createBench(said('hello'))
  assert.equal(whole(await governed(bench.gateway, secret)).status, 403)
  assert.deepEqual(bench.events, ['append govern_block'])
})

test('what the policy takes out is gone from what is forwarded, and from what is answered', async () => {
  const iban = requestOf({ model: 'm', messages: [{ role: 'user', content: 'pay to [pii.iban] now' }] })
  const bench = createBench(said('paid to [pii.iban]'))
  const reply = whole(await governed(bench.gateway, iban))
  assert.ok(bench.forwarded[0]?.includes('pay to [REDACTED:pii.iban] now'))
  assert.ok(reply.text.includes('paid to [REDACTED:pii.iban]'))
})

test('token lists leave with what was taken out, for they repeat it', async () => {
  const logprobs = {
    content: [
      { token: '[pii.', logprob: 0 },
      { token: 'iban]', logprob: 0 },
    ],
  }
  const message = { role: 'assistant', content: '[pii.iban]' }
  const choice = { index: 0, message, logprobs, token_ids: [9906], finish_reason: 'stop' }
  const bench = createBench(() => answerOf([JSON.stringify(completion('', { choices: [choice] }))]))
  const { text } = whole(await governed(bench.gateway, hello))
  assert.ok(text.includes('"logprobs":null') && !text.includes('"[pii.'), text)
  assert.ok(text.includes('"token_ids":null') && !text.includes('9906'), text)
})

test('a client that goes away while its call is forwarded is recorded as that', async () => {
  const gone = new AbortController()
  const forward = async (): Promise<never> => {
    gone.abort()
    throw new Error('aborted')
  }
  const bench = createBench(said(''), {
    routes: [{ models: /^/, upstream: { name: 'x', forward, close: async () => {} } }],
  })
  await governed(bench.gateway, { ...hello, signal: gone.signal })
  assert.deepEqual(bench.events, ['append govern_allow', 'append client_gone'])
})

const OURS: readonly (readonly [what: string, body: object])[] = [
  ['as it is', completion('fine')],
  ['empty', {}],
  ['with a member of that name already', { ...completion('fine'), tappass: { blocked: 'theirs' } }],
]
for (const [what, body] of OURS) {
  test(`our object stands once beside an answer: ${what}`, async () => {
    const reply = await governed(createBench(() => answerOf([JSON.stringify(body)])).gateway, hello)
    if (reply.kind !== 'json') throw new Error('a stream')
    const { tappass, ...rest } = JSON.parse(reply.text) as { tappass: { blocked: unknown }; [name: string]: unknown }
    assert.deepEqual({ ...rest, tappass: null }, { ...body, tappass: null })
    assert.equal(reply.text.split('"tappass":').length, 2)
    assert.equal(tappass.blocked, false)
  })
}

const SERVER = join(import.meta.dirname, '../../../server')
const policy = await createWasmPolicy(readFileSync(join(SERVER, 'policy/policy.wasm')), policyDocument(REGISTRY))
const { steps } = await loadSteps([join(SERVER, 'steps')], testEngine(), FAMILIES)

const LIMITERS: readonly (readonly [what: string, take: Ports['limiter']['take'], status: number, code: string])[] = [
  ['refuses', async () => ({ isAllowed: false, remaining: 0, resetMs: 1500 }), 429, 'rate.exceeded'],
  ['is out of reach', () => Promise.reject(new Error('gone')), 503, 'governance.unavailable'],
]
for (const [what, take, status, code] of LIMITERS) {
  test(`what the limiter ${what} is recorded and not looked through`, async () => {
    const limiter = { take, ping: async () => {}, close: async () => {} }
    const bench = createBench(said('hi'), { policy, limiter }, steps)
    const asked = requestOf({ model: 'm', messages: [{ role: 'user', content: privateKey() }] })
    const reply = await governed(bench.gateway, asked)
    assert.deepEqual([whole(reply).status, whole(reply).code], [status, code])
    assert.equal(reply.headers['retry-after'], status === 429 ? '2' : undefined)
    assert.equal(bench.forwarded.length, 0)
    const notDone = bench.entries[0]?.details['not_done'] as Readonly<Record<string, unknown>>
    assert.deepEqual(notDone['detect_secrets'], { reason: 'refused_before', status: 'skipped' })
    assert.equal(bench.entries[0]?.classification, 'RESTRICTED')
  })
}

test('a model name that is no text is a bad request, not a failure of ours', async () => {
  const bench = createBench(said('hi'), { policy }, steps)
  const reply = await governed(
    bench.gateway,
    requestOf({ model: '\ud800', messages: [{ role: 'user', content: 'hello' }] }),
  )
  assert.deepEqual([whole(reply).status, whole(reply).code], [400, 'request.invalid'])
})
