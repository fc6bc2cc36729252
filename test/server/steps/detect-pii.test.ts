/** detect_pii finds each form, covers exactly the value, checks what has check digits, and leaves other numbers alone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createStep } from '../../../server/steps/detect-pii.ts'
import { testEngine } from '../detection/engine-fixture.ts'
import { callOf, inspectText } from '../pipeline/call-fixture.ts'
import { IMPERSONAL, PERSONAL } from '../rules/pii-fixture.ts'

const step = createStep(testEngine())

const found = async (text: string) =>
  (await inspectText(step, text)).map(({ kind, span }) => [kind, text.slice(...span)] as const)

for (const [kind, before, value, after] of PERSONAL) {
  test(`pii.${kind}: ${before}${value}`, async () => {
    for (const [left, right] of [
      ['', ''],
      ['Hello, ', '\nBye'],
      ['{"a":"', '"}'],
      ['(', ')'],
      ['“', '”'],
    ] as const) {
      assert.deepEqual(await found(left + before + value + after + right), [[`pii.${kind}`, value]])
    }
  })
}

for (const text of IMPERSONAL) {
  test(`nothing personal: ${text.slice(0, 40)}`, async () => assert.deepEqual(await found(text), []))
}

test('every single wrong digit in a card number or an IBAN undoes it', async () => {
  for (const value of ['4111111111111111', 'NL91ABNA0417164300']) {
    for (let at = value.startsWith('N') ? 2 : 0; at < value.length; at++) {
      const digit = value.charCodeAt(at) - 48
      if (digit > 9) continue
      const wrong = `${value.slice(0, at)}${(digit + 1) % 10}${value.slice(at + 1)}`
      const kinds = (await found(`number ${wrong}.`)).map(([kind]) => kind)
      assert.ok(!kinds.includes('pii.credit_card') && !kinds.includes('pii.iban'), wrong)
    }
  }
})

const disguises: readonly (readonly [string, string])[] = [
  ['full width', '４１１１１１１１１１１１１１１１'],
  ['Arabic digits', '٤١١١١١١١١١١١١١١١'],
  ['zero width spaces', [...'4111111111111111'].join('\u200b')],
  ['percent signs', '%34111111%3111111111'],
  ['base64', Buffer.from('my card number is 4111111111111111').toString('base64')],
  ['dashes', '4111–1111–1111–1111'],
  ['a number of the JSON', '4111111111111111'],
]
for (const [name, text] of disguises) {
  test(`a card in ${name}`, async () => {
    assert.deepEqual(await found(`x ${text} y`), [['pii.credit_card', text]])
  })
}

test('a card in parts of a message is a finding in each, and text around it is left alone', async () => {
  const parts = ['card 4111 11', '11 1111', ' 1111 please']
  const content = parts.map((text) => ({ type: 'text', text }))
  const findings = await step.inspect(callOf({ messages: [{ role: 'user', content }] }), undefined as never)
  assert.deepEqual(
    findings.map(({ kind, span }, index) => [kind, parts[index]?.slice(...span)]),
    [
      ['pii.credit_card', '4111 11'],
      ['pii.credit_card', '11 1111'],
      ['pii.credit_card', ' 1111'],
    ],
  )
})

test('numbers in unrelated parts are no number together', async () => {
  for (const parts of [
    ['It was founded in 1961.', '4000 people live there.'],
    ['row 4', '111 items'],
    ['a@b', 'see you'],
  ]) {
    const content = parts.map((text) => ({ type: 'text', text }))
    const call = callOf({ messages: [{ role: 'user', content }] })
    assert.deepEqual(await step.inspect(call, undefined as never), [], parts.join('|'))
  }
})
