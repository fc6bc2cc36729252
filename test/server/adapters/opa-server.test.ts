/** The policy in a real OPA server: the same verdicts as in this process, and nothing passes when anything about it is wrong. Needs: opa. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type OpaProcess, POLICY, startOpa } from '../../../bench/opa-process.ts'
import { finding, ROWS, requestWith } from '../../../bench/policy-row.ts'
import { createBundle, type PolicyFiles } from '../../../scripts/artifacts/policy-bundle.ts'
import { createOpaPolicy, type OpaError } from '../../../server/adapters/opa-server.ts'
import { createWasmPolicy } from '../../../server/adapters/opa-wasm.ts'
import { systemClock } from '../../../server/adapters/system.ts'
import { createFamilyRegistry } from '../../../server/core/finding-family.ts'
import type { PolicyInput } from '../../../server/core/verdict.ts'
import { probePolicy } from '../../../server/observability/readiness.ts'
import { policyDocument, readModuleDigests, readPolicy } from '../../../server/policy/policy-document.ts'
import { readFamilies } from '../../../server/rules/rule-source.ts'

const document = policyDocument(createFamilyRegistry(readFamilies()))
const embedded = await createWasmPolicy(readPolicy(), document)
const digests = readModuleDigests()

/** It waits for longer than any machine needs. */
function engineOf({ url }: Pick<OpaProcess, 'url'>, faults: string[] = []) {
  const given = { url, revision: embedded.revision, digests, document, clock: systemClock, waitMsMax: 100_000 }
  return createOpaPolicy({ ...given, onFault: ({ code }) => faults.push(code) })
}

const opa = await startOpa()
const server = engineOf(opa)
after(async () => {
  await server.close?.()
  await opa.close()
})

const clean = requestWith('', [])
const strange = (change: object): PolicyInput => ({ ...clean, ...change })

/** What no gateway makes, or hardly ever. */
const ODD_INPUTS: readonly (readonly [what: string, input: PolicyInput])[] = [
  ['an empty input', {} as PolicyInput],
  ['no outcomes', strange({ outcomes: [] })],
  ['a stage that there is not', strange({ stage: 'before' })],
  ['an agent without a name', strange({ agent: { id: '', org: 'o' } })],
  ['a flag that nobody knows', strange({ flags: { mode: 'observe' } })],
  [
    'names of tools with every kind of letter',
    strange({ tools: { offered: [], hosted: [], called: ['é\u0000"\\\u2028😀'] } }),
  ],
  ['a tainted session', strange({ session: { taint: ['injection', 'opaque'] } })],
  [
    'a tainted session that blocks tools',
    strange({
      session: { taint: ['injection'] },
      flags: { tainted_tools: 'block' },
      tools: { offered: [], hosted: ['web'], called: ['send_mail'] },
    }),
  ],
  ['a step that failed', strange({ outcomes: [{ ...clean.outcomes[0], status: 'failed', reason: 'StepTimeout' }] })],
  ['lockdown', requestWith('detect_pii', [finding('pii.email', 0.1)], { mode: 'lockdown' })],
  [
    'many kinds, in no order',
    requestWith(
      'detect_pii',
      ['pii.iban', 'pii.email', 'pii.credit_card', 'pii.phone'].map((kind) => finding(kind)),
    ),
  ],
  [
    'kinds at every confidence',
    requestWith(
      'detect_secrets',
      [0, 0.1, 0.3, 0.49999, 0.5, 1 / 3, 0.7, 1].map((sure) => finding('secret.generic', sure)),
    ),
  ],
  ['an impossible confidence', requestWith('detect_pii', [finding('pii.email', 1e21)])],
  [
    'two thousand kinds of findings',
    requestWith(
      'detect_pii',
      Array.from({ length: 2000 }, (_, index) => finding(`pii.kind_${index}`, 0.1)),
    ),
  ],
]

for (const [what, input] of [...ROWS, ...ODD_INPUTS]) {
  test(`both engines decide the same: ${what}`, async () => {
    assert.deepEqual(await server.decide(input, 'dec_1'), await embedded.decide(input, 'dec_1'))
  })
}

/** What a family can be found with, of what makes a difference to the policy. */
function inputsOfFamilies(): readonly PolicyInput[] {
  const flags = [
    {},
    ...Object.entries(document.tappass.flags).flatMap(([name, values]) => values.map((value) => ({ [name]: value }))),
  ]
  return Object.entries(document.tappass.families).flatMap(([name, family]) =>
    [...Object.keys(family.kinds), `${name}.other`].flatMap((kind) =>
      [0.2, 0.5, 0.8, 1].flatMap((confidence) =>
        (['low', 'high'] as const).flatMap((severity) =>
          flags.map((flag) => requestWith('detect_pii', [{ kind, severity, confidence, author: 'tool' }], flag)),
        ),
      ),
    ),
  )
}

test('both engines decide the same about every kind of every family, at four confidences, with every flag', async () => {
  const inputs = inputsOfFamilies()
  assert.ok(inputs.length > 1000, `${inputs.length}`)
  const actions = new Set<string>()
  for (let start = 0; start < inputs.length; start += 64) {
    const part = inputs.slice(start, start + 64)
    const [here, there] = await Promise.all(
      [embedded, server].map(({ decide }) => Promise.all(part.map((input) => decide(input, 'dec_1')))),
    )
    assert.deepEqual(there, here)
    for (const { action } of here ?? []) actions.add(action)
  }
  assert.deepEqual([...actions].sort(), ['allow', 'block', 'redact'])
})

test('the probe passes, and looks at what OPA holds', () => probePolicy(server))

test('OPA is started anew with a bundle that is signed by another key while 2,000 calls are decided: none fails', async (context) => {
  const one = await startOpa()
  context.after(one.close)
  const engine = engineOf(one)
  let ended = 0
  const [before, calls] = [one.pid(), 2400]
  const callers = Array.from({ length: 16 }, async () => {
    while (ended < calls) {
      assert.equal((await engine.decide(clean, 'dec_1')).action, 'allow')
      ended += 1
    }
  })
  const all = Promise.all(callers)
  const untilSome = async (): Promise<void> => {
    while (ended < calls / 3) await sleep(1)
  }
  await Promise.race([untilSome(), all])
  one.write(await createBundle(one.options))
  await one.stop()
  const atStop = ended
  await one.start()
  await all
  assert.notEqual(one.pid(), before)
  assert.ok(atStop < calls && ended >= calls, `${atStop} ${ended}`)
  await engine.close?.()
})

/** The policy with another text of a file, under the same revision or another one. */
const edited = (name: string, change: (text: string) => string, revision = POLICY.revision): PolicyFiles => {
  const files = { ...POLICY.files, [name]: change(POLICY.files[name] ?? '') }
  return { revision, files: { ...files, '.manifest': (files['.manifest'] ?? '').replace(POLICY.revision, revision) } }
}

const OTHER_BUNDLES: readonly (readonly [what: string, policy: PolicyFiles, code: string])[] = [
  ['another revision', edited('.manifest', (text) => text, 'f'.repeat(64)), 'OPA_OTHER_REVISION'],
  [
    'a policy that allows all, under our revision',
    edited('verdict.rego', (text) => text.replaceAll('"action": "block"', '"action": "allow"')),
    'OPA_',
  ],
  [
    'another threshold, under our revision',
    edited('data.json', (text) => text.replace('"confidence_min": 0.5', '"confidence_min": 0.6')),
    'OPA_OTHER_DATA',
  ],
  [
    'a module too many, under our revision',
    { revision: POLICY.revision, files: { ...POLICY.files, 'more.rego': 'package more' } },
    'OPA_OTHER_POLICY',
  ],
  ['no rule that decides', edited('verdict.rego', () => 'package tappass.verdict\n'), 'OPA_NO_RESULT'],
]

for (const [what, policy, code] of OTHER_BUNDLES) {
  test(`nothing passes when OPA is exchanged for one with ${what}`, async (context) => {
    const one = await startOpa()
    context.after(one.close)
    const faults: string[] = []
    const engine = engineOf(one, faults)
    assert.equal((await engine.decide(clean, 'dec_1')).action, 'allow')
    await one.stop()
    one.write(await createBundle({ ...one.options, policy }))
    await one.start()
    // The first call on the old connections finds out, whatever the probe knows.
    await assert.rejects(engine.decide(clean, 'dec_2'), ({ code: found }: OpaError) => found.startsWith(code))
    await assert.rejects(probePolicy(engine), ({ name }: OpaError) => name === 'OpaError')
    assert.equal(new Set(faults).size >= 1, true)
    await engine.close?.()
  })
}

test('OPA logs each decision without what a caller wrote, and not the gateway’s own questions', async () => {
  const marker = ['wri', 'tten', 'by', 'a', 'caller'].join('_')
  const named = { model: marker, flags: { opaque: marker }, tools: { offered: [marker], hosted: [], called: [marker] } }
  await server.decide(strange({ ...named, agent: { id: 'logged-agent', org: 'o' } }), 'dec_1')
  await probePolicy(engineOf(opa))
  const lines = opa
    .log()
    .split('\n')
    .filter((line) => line.includes('"Decision Log"'))
  assert.ok(
    lines.some((line) => line.includes('logged-agent') && line.includes('"action":"block"')),
    String(lines.at(-1)),
  )
  assert.deepEqual(
    lines.filter((line) => line.includes(marker)),
    [],
  )
  assert.deepEqual(
    lines.filter((line) => !line.includes('"path":"tappass/verdict/decision"') || line.includes('"id":""')),
    [],
  )
})
