/** detect_secrets finds every shape, alone and in running text, plain and disguised, and covers exactly the secret. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createStep } from '../../../server/steps/detect-secrets.ts'
import { testEngine } from '../detection/engine-fixture.ts'
import { callOf, inspectText } from '../pipeline/call-fixture.ts'
import { privateKey } from '../rules/fixture.ts'
import { NAMED_SECRETS, NO_SECRETS, SECRETS } from '../rules/secret-fixture.ts'

const step = createStep(testEngine())

const sure = async (text: string) => (await inspectText(step, text)).filter(({ confidence }) => confidence >= 0.5)

for (const [kind, secret] of SECRETS) {
  test(`secret.${kind}: ${secret.slice(0, 6)}…`, async () => {
    for (const [before, after] of [
      ['', ''],
      ['Please use ', ' for this.'],
      ['{"k":"', '"}'],
      ['x=', '\n'],
      ['„', '“'],
    ] as const) {
      const findings = await sure(before + secret + after)
      assert.deepEqual(
        findings.map(({ kind, span }) => [kind, ...span]),
        [[`secret.${kind}`, before.length, before.length + secret.length]],
        before,
      )
    }
  })
}

for (const [kind, before, secret, after] of NAMED_SECRETS) {
  test(`secret.${kind} after ${before}`, async () => {
    const findings = await sure(before + secret + after)
    assert.deepEqual(
      findings.map(({ kind, span }) => [kind, ...span]),
      [[`secret.${kind}`, before.length, before.length + secret.length]],
    )
  })
}

for (const text of NO_SECRETS) {
  test(`no secret: ${text.slice(0, 40)}`, async () => assert.deepEqual(await sure(text), []))
}

const key = privateKey()
const disguises: readonly (readonly [string, string])[] = [
  ['base64', Buffer.from(key).toString('base64')],
  ['base64url', Buffer.from(key).toString('base64url')],
  [
    'base64, wrapped',
    (
      Buffer.from(key)
        .toString('base64')
        .match(/.{1,76}/g) ?? []
    ).join('\r\n'),
  ],
  ['base64 twice', Buffer.from(Buffer.from(key).toString('base64')).toString('base64')],
  ['base64 behind other letters', `xy${Buffer.from(key).toString('base64')}`],
  ['hex', Buffer.from(key).toString('hex')],
  ['percent', encodeURIComponent(key)],
  ['percent twice', encodeURIComponent(encodeURIComponent(key))],
  ['JSON', JSON.stringify({ key })],
  ['JSON in JSON', JSON.stringify(JSON.stringify({ key }))],
  ['unicode escapes', [...key].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')],
  ['zero width', [...key].join('\u200b')],
  ['full width', [...key].map((c) => (c > ' ' ? String.fromCharCode(c.charCodeAt(0) + 0xfee0) : c)).join('')],
  ['Windows line ends', key.replaceAll('\n', '\r\n')],
  ['spaces for line ends', key.replaceAll('\n', ' ')],
  [
    'quoted lines of code',
    key
      .split('\n')
      .map((line) => `"${line}\\n" +`)
      .join('\n'),
  ],
  ['without a footer', key.slice(0, key.indexOf('\n-----END'))],
  ['with PEM headers', key.replace('\n', '\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00FF\n\n')],
]
for (const [disguise, text] of disguises) {
  test(`a private key as ${disguise}`, async () => {
    const findings = (await sure(`see ${text}`)).filter(({ kind }) => kind === 'secret.private_key')
    assert.equal(findings.length, 1)
    const [start, end] = findings[0]?.span ?? [0, 0]
    const rest = `see ${text}`.slice(0, start) + `see ${text}`.slice(end)
    assert.ok(rest.length <= 48, `left over: ${rest}`)
  })
}

const password = ['Hunt', 'er2a'].join('')
const COVERED: readonly (readonly [name: string, text: string])[] = [
  ['a name before the name', `set token=pwd=${password} now`],
  ['quotes around both', `secret="pwd=${password}"`],
  ['a sentence around both', `app secret: pwd=${password};`],
  [
    'the first line of a key in the same base64',
    Buffer.from(
      `notes: -----BEGIN PRIVATE ${'KEY'}----- is the header; password=Sup3rS3cretKey99xyz and done`,
    ).toString('base64'),
  ],
]
for (const [name, text] of COVERED) {
  test(`a weak finding hides no strong one: ${name}`, async () => {
    assert.ok((await sure(text)).some(({ kind }) => kind === 'secret.assignment'))
  })
}

test('talk about a key is noted, and too unsure to refuse', async () => {
  const findings = await inspectText(step, 'A PEM file starts with -----BEGIN PRIVATE KEY----- and ends with a footer.')
  assert.deepEqual(
    findings.map(({ kind, confidence }) => [kind, confidence]),
    [['secret.private_key', 0.4]],
  )
})

test('every string of a call is looked through', async () => {
  const body = { messages: [{ role: 'tool', content: [{ type: 'text', text: key }] }], metadata: { [key]: 1 } }
  const findings = await step.inspect(callOf(body), undefined as never)
  assert.deepEqual(
    findings.map(({ pointer }) => pointer.slice(0, 20)),
    ['/messages/0/content/', '/metadata/-----BEGIN'],
  )
})
