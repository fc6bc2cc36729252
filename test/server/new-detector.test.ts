/**
 * A new detector is one new file: a step with a family of its own and three rows, laid into a folder. Calls are judged
 * by it, its findings are noted, and its refusal is named, with nothing else touched.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { loadSteps } from '../../server/adapters/step-folder.ts'
import { FAMILIES, testEngine } from './detection/engine-fixture.ts'
import { callOf } from './pipeline/call-fixture.ts'
import { chat, type RunningGateway, startGateway } from './running-gateway.ts'

const FILE = `
export const family = {
  name: 'codename',
  title: 'Code name detected',
  about: 'Names of projects that are not announced.',
  action: 'refuse',
  confidenceMin: 0.7,
  level: { name: 'CONFIDENTIAL' },
  required: { detect_codename: ['request'] },
}

const row = (id, severity, confidence, word) => ({
  id, severity, confidence, title: word, keywords: [word.toLowerCase()], pattern: word,
  examples: { match: [word, word + '!'], no_match: [word + 's', 'x' + word] },
})

const rules = {
  family: 'codename',
  form: 'word',
  source: 'the list of projects',
  rules: [
    row('product', 'high', 0.9, 'Bluebird'),
    row('customer', 'high', 0.8, 'Kestrel'),
    row('maybe', 'low', 0.4, 'Osprey'),
  ],
}

export function createStep(engine) {
  const compiled = engine.compile(rules)
  const detect = engine.detector(compiled)
  return {
    name: 'detect_codename',
    position: 290,
    category: 'data_protection',
    stages: ['request', 'response'],
    isCacheable: true,
    matchCharsMax: 32,
    pendingFrom: engine.pendingFrom(compiled, 32),
    inspect: ({ segments }) => engine.scan(segments, detect),
  }
}
`

const folder = mkdtempSync(join(tmpdir(), 'tappass-detector-'))
let gateway: RunningGateway
before(async () => {
  writeFileSync(join(folder, 'detect-codename.ts'), FILE)
  gateway = await startGateway({}, [folder])
})
after(async () => {
  await gateway.close()
  rmSync(folder, { recursive: true })
})

type Answer = Readonly<{
  status: number
  headers: Headers
  error: Readonly<Record<string, unknown>> | undefined
  noted: unknown
}>

async function ask(content: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const response = await gateway.post('/v1/chat/completions', chat(content), headers)
  const { error } = (await response.json()) as { error?: Readonly<Record<string, unknown>> }
  const entries = await gateway.audit('limit=4')
  const request = entries.filter(({ event_type }) => event_type.startsWith('govern_')).at(error === undefined ? 1 : 0)
  return { status: response.status, headers: response.headers, error, noted: request?.details }
}

describe('a step with a family of its own', () => {
  test('a call without its findings passes', async () => {
    const { status, headers, noted } = await ask('hello')
    assert.deepEqual([status, headers.get('x-tappass-classification')], [200, 'PUBLIC'])
    assert.ok(!JSON.stringify(noted).includes('codename.'))
  })

  test('a finding below the threshold is noted, and classifies', async () => {
    const { status, headers, noted } = await ask('Is it Osprey?')
    assert.deepEqual([status, headers.get('x-tappass-classification')], [200, 'CONFIDENTIAL'])
    assert.ok(JSON.stringify(noted).includes('codename.maybe'))
  })

  for (const [name, kind] of [
    ['Bluebird', 'product'],
    ['Kestrel', 'customer'],
  ] as const) {
    test(`from the threshold on the call is refused by its title: ${name}`, async () => {
      const { status, error, noted } = await ask(`When does ${name} ship?`)
      assert.equal(status, 403)
      assert.equal(error?.['code'], 'policy.blocked')
      assert.equal(error?.['blocked_by'], 'detect_codename')
      assert.equal(error?.['reason'], `Code name detected: ${kind.toUpperCase()}`)
      assert.deepEqual(error?.['step_details'], [{ step: 'detect_codename', kind: `codename.${kind}` }])
      assert.ok(JSON.stringify(noted).includes(`codename.${kind}`))
    })
  }

  test('disguised it is found all the same, as the engine reads every text', async () => {
    const { status, error } = await ask(`When does ${Buffer.from('our Bluebird project').toString('base64')} ship?`)
    assert.deepEqual([status, error?.['reason']], [403, 'Code name detected: PRODUCT'])
  })

  test('in lockdown each of its findings refuses', async () => {
    const { status, error } = await ask('Is it Osprey again?', { 'x-tappass-flags': 'mode=lockdown' })
    assert.deepEqual([status, error?.['reason']], [403, 'Code name detected: MAYBE'])
  })
})

test('the step in docs/how-to/write-a-detector.md is complete', async () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/how-to/write-a-detector.md'), 'utf8')
  const code = /```ts title="server\/steps\/(detect-codename\.ts)"\n(.*?)```/s.exec(page)
  const own = mkdtempSync(join(tmpdir(), 'tappass-page-'))
  try {
    writeFileSync(join(own, code?.[1] ?? ''), code?.[2] ?? '')
    const { steps, registry } = await loadSteps([own], testEngine(), FAMILIES)
    assert.equal(registry.families.get('codename')?.title, 'Code name detected')
    const found = await steps[0]?.inspect(callOf({ a: 'our Bluebird' }), undefined as never)
    assert.deepEqual(
      (found as readonly { kind: string }[]).map(({ kind }) => kind),
      ['codename.product'],
    )
  } finally {
    rmSync(own, { recursive: true })
  }
})
