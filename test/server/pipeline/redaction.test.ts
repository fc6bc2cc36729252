/** Nothing of a redacted span remains at its place, and all else is as it was. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Finding } from '../../../server/core/finding.ts'
import { redactSource } from '../../../server/pipeline/body-redaction.ts'
import { RedactionError, redactText } from '../../../server/pipeline/redaction.ts'
import { redact as redactValue } from '../../../server/pipeline/value-redaction.ts'
import { KEY_SUFFIX } from '../../../server/protocol/json-pointer.ts'
import { project } from '../../../server/protocol/projection.ts'
import { sequence } from '../rules/fixture.ts'

const finding = (pointer: string, start: number, end: number, kind = 'pii.email'): Finding => ({
  kind,
  severity: 'medium',
  pointer,
  span: [start, end],
  confidence: 1,
})
const all = ['pii.email', 'pii.phone']
const noAlias = () => undefined
const redact = (body: unknown, findings: readonly Finding[]) => redactValue(body, findings, all, noAlias)

const TEXTS: readonly (readonly [
  text: string,
  spans: readonly (readonly [number, number, string])[],
  result: string,
])[] = [
  ['mail a@b now', [[5, 8, 'pii.email']], 'mail [REDACTED:pii.email] now'],
  ['abcdef', [], 'abcdef'],
  [
    'abcdef',
    [
      [0, 2, 'pii.email'],
      [4, 6, 'pii.phone'],
    ],
    '[REDACTED:pii.email]cd[REDACTED:pii.phone]',
  ],
  [
    'abcdef',
    [
      [0, 3, 'pii.email'],
      [2, 5, 'pii.phone'],
    ],
    '[REDACTED:pii.email+pii.phone]f',
  ],
  [
    'abcdef',
    [
      [0, 5, 'pii.email'],
      [1, 2, 'pii.email'],
      [3, 4, 'pii.email'],
    ],
    '[REDACTED:pii.email]f',
  ],
  [
    'abcdef',
    [
      [0, 3, 'pii.email'],
      [3, 6, 'pii.email'],
    ],
    '[REDACTED:pii.email][REDACTED:pii.email]',
  ],
]
for (const [text, spans, result] of TEXTS) {
  test(`${text} ${JSON.stringify(spans)}`, () => {
    assert.equal(
      redactText(
        text,
        spans.map(([start, end, kind]) => finding('', start, end, kind)),
      ),
      result,
    )
  })
}

const BODIES: readonly (readonly [name: string, body: unknown, findings: readonly Finding[], result: unknown])[] = [
  ['a value', { a: ['xy', 'z'] }, [finding('/a/0', 0, 1)], { a: ['[REDACTED:pii.email]y', 'z'] }],
  ['other kinds stay', { a: 'xy' }, [finding('/a', 0, 1, 'secret.jwt')], { a: 'xy' }],
  [
    'escaped names',
    { 'a/b': { '~c': 'x' } },
    [finding('/a~1b/~0c', 0, 1)],
    { 'a/b': { '~c': '[REDACTED:pii.email]' } },
  ],
  ['a number', { n: 411, m: 1 }, [finding('/n', 0, 3)], { n: '[REDACTED:pii.email]', m: 1 }],
  [
    'a key',
    { z: 1, secret: { k: 'v' }, a: 2 },
    [finding(`/secret${KEY_SUFFIX}`, 0, 6)],
    { z: 1, '[REDACTED:pii.email]': { k: 'v' }, a: 2 },
  ],
  [
    'a key and what is under it',
    { secret: { k: 'v' } },
    [finding(`/secret${KEY_SUFFIX}`, 0, 6), finding('/secret/k', 0, 1)],
    { '[REDACTED:pii.email]': { k: '[REDACTED:pii.email]' } },
  ],
  [
    'two keys that become the same',
    { aa: 1, bb: 2 },
    [finding(`/aa${KEY_SUFFIX}`, 0, 2), finding(`/bb${KEY_SUFFIX}`, 0, 2)],
    { '[REDACTED:pii.email]': 1, '[REDACTED:pii.email]~2': 2 },
  ],
  [
    'a key under a key',
    { aa: { bb: 1 } },
    [finding(`/aa${KEY_SUFFIX}`, 0, 2), finding(`/aa/bb${KEY_SUFFIX}`, 0, 2)],
    { '[REDACTED:pii.email]': { '[REDACTED:pii.email]': 1 } },
  ],
  ['the body itself', 'xy', [finding('', 1, 2)], 'x[REDACTED:pii.email]'],
]
for (const [name, body, findings, result] of BODIES) {
  test(`takes out of a body: ${name}`, () => {
    const before = structuredClone(body)
    const redacted = redact(body, findings)
    assert.deepEqual(redacted, result)
    assert.deepEqual(JSON.stringify(redacted), JSON.stringify(result))
    assert.deepEqual(body, before)
    assert.equal(redactSource(JSON.stringify(body), findings, all, noAlias), JSON.stringify(result))
  })
}

test('a member called __proto__ stays one', () => {
  const body = JSON.parse('{"__proto__":{"x":"abc"},"b":1}')
  assert.equal(
    JSON.stringify(redact(body, [finding('/__proto__/x', 0, 3)])),
    '{"__proto__":{"x":"[REDACTED:pii.email]"},"b":1}',
  )
})

const IMPOSSIBLE: readonly (readonly [string, unknown, Finding])[] = [
  ['no such member', { a: 'x' }, finding('/b', 0, 1)],
  ['no such container', { a: 'x' }, finding('/a/b', 0, 1)],
  ['not a text', { a: null }, finding('/a', 0, 1)],
  ['an empty span', { a: 'x' }, finding('/a', 0, 0)],
  ['a span past the end', { a: 'x' }, finding('/a', 0, 2)],
  ['an index as a key', ['x'], finding(`/0${KEY_SUFFIX}`, 0, 1)],
  ['an inherited member', {}, finding('/toString', 0, 1)],
]
for (const [name, body, impossible] of IMPOSSIBLE) {
  test(`throws rather than leave it in: ${name}`, () => {
    assert.throws(() => redact(body, [impossible]), RedactionError)
    assert.throws(() => redactSource(JSON.stringify(body), [impossible], all, noAlias), RedactionError)
  })
}

test('whatever the spans: nothing of them remains at its place, everything else does', () => {
  const next = sequence(11)
  const upTo = (most: number): number => Math.floor(next() * (most + 1))
  for (let round = 0; round < 500; round++) {
    // Every character of the body is another one, so that a remnant would show.
    let code = 0x4e00
    const text = (): string => String.fromCharCode(...Array.from({ length: 2 + upTo(30) }, () => code++))
    const body = {
      messages: [{ role: text(), content: [{ text: text() }, { [text()]: text() }] }],
      metadata: { [text()]: [text(), text()] },
    }
    const segments = project(body)
    const findings = segments.flatMap(({ pointer, text }) =>
      Array.from({ length: upTo(4) }, () => {
        const start = upTo(text.length - 1)
        return finding(pointer, start, start + 1 + upTo(text.length - start - 1), all[upTo(1)])
      }),
    )
    const output = JSON.stringify(redact(body, findings))
    for (const { pointer, text } of segments) {
      for (let index = 0; index < text.length; index++) {
        const isTaken = findings.some((f) => f.pointer === pointer && f.span[0] <= index && index < f.span[1])
        assert.equal(output.includes(text.charAt(index)), !isTaken)
      }
    }
  }
})
