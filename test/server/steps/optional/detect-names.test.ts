/** detect_names finds names and addresses by what stands around them, covers exactly those, and is there only when it is asked for. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileRules } from '../../../../server/detection/rule-compiler.ts'
import { parseRuleFile } from '../../../../server/detection/rule-file.ts'
import { RULE_FUNCTIONS } from '../../../../server/rules/check/rule-functions.ts'
import { exampleFailures } from '../../../../server/rules/example-check.ts'
import { exampleText } from '../../../../server/rules/example-text.ts'
import { createStep, NAME_RULES } from '../../../../server/steps/optional/detect-names.ts'
import { testEngine } from '../../detection/engine-fixture.ts'
import { patternLengths } from '../../detection/pattern-length.ts'
import { completion, json } from '../../model-server.ts'
import { inspectText } from '../../pipeline/call-fixture.ts'
import { chat, startGateway } from '../../running-gateway.ts'

const step = createStep(testEngine())

/** Kind, text before, the value, text after. */
const FOUND: readonly (readonly [kind: string, before: string, value: string, after: string])[] = [
  ['name', 'my name is ', 'Zora Quill', ', hello'],
  ['name', 'Dear Mrs. ', 'Quillan', ','],
  ['name', 'people call me ', 'Margaret', ' here'],
  ['name', 'verses from ', 'Tammy Quill', ' and others'],
  ['name', 'written by ', 'Jan van der Quill', ' in May'],
  ['address', 'lives at ', '12 Main Street, Springfield', '; call first'],
  ['address', 'to ', '4711 Old Mill Rd.', ' today'],
  ['address', 'naar ', 'Dorpsstraat 12, 1234 AB Utrecht', '; bel even'],
  ['address', 'in der ', 'Lindenallee 7', ', hinten'],
]

for (const [kind, before, value, after] of FOUND) {
  test(`pii.${kind}: ${before}${value}`, async () => {
    const text = before + value + after
    const findings = await inspectText(step, text)
    assert.deepEqual(
      findings.map(({ kind, span }) => [kind, text.slice(...span)]),
      [[`pii.${kind}`, value]],
    )
  })
}

const NOT_FOUND = [
  'Dear Sir or Madam, the name is taken.',
  'name: String; const martin = new Thomas(Quill)',
  'The Main Street of the town has 12 shops.',
  'see docs/paul.Martin and @paul Example',
  exampleText('commit {hex:40} of the road map'),
]
for (const text of NOT_FOUND) {
  test(`neither name nor address: ${text}`, async () => assert.deepEqual(await inspectText(step, text), []))
}

test('its rules do what their examples say, and none is longer than the declared reach', () => {
  const file = parseRuleFile(NAME_RULES, 'detect-names')
  const compiled = compileRules(file, RULE_FUNCTIONS)
  assert.deepEqual(exampleFailures({ name: 'detect-names', text: '', file }, compiled, RULE_FUNCTIONS), [])
  for (const { id, pattern, flags } of compiled) {
    const { match, ahead, behind } = patternLengths(new RegExp(pattern, flags))
    assert.ok(match + ahead + behind <= (step.matchCharsMax ?? 0), `${id}: ${match} + ${ahead} + ${behind}`)
  }
})

for (const [setting, sent] of [
  [undefined, 'my name is Zora Quill'],
  ['on', 'my name is [REDACTED:pii.name]'],
] as const) {
  test(`TAPPASS_DETECT_NAMES=${setting}: the model server gets "${sent}"`, async () => {
    const gateway = await startGateway({ TAPPASS_DETECT_NAMES: setting })
    try {
      gateway.models.answer(json(completion('Noted.')))
      assert.equal((await gateway.post('/v1/chat/completions', chat('my name is Zora Quill'))).status, 200)
      const body = JSON.parse(gateway.models.received.at(-1)?.body ?? '{}') as { messages: { content: string }[] }
      assert.equal(body.messages[0]?.content, sent)
    } finally {
      await gateway.close()
    }
  })
}
