/** Redaction is linear in what was found: as much of it as a call may have takes four times as long as a quarter. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Finding } from '../../../server/core/finding.ts'
import { redactSource } from '../../../server/pipeline/body-redaction.ts'
import { redactText } from '../../../server/pipeline/redaction.ts'
import { redact } from '../../../server/pipeline/value-redaction.ts'
import { KEY_SUFFIX, pointerToken } from '../../../server/protocol/json-pointer.ts'
import { growthOf } from '../../processor-time.ts'

const KIND = 'pii.email'
const noAlias = () => undefined

function finding(pointer: string, start: number, end: number): Finding {
  return { kind: KIND, severity: 'low', pointer, span: [start, end], confidence: 1 }
}

/** Given how many findings, returns what redacts them. */
const ROWS: readonly (readonly [what: string, prepare: (count: number) => () => void])[] = [
  [
    'keys of one object, in its text',
    (count) => {
      const { body, findings } = keyed(count, '')
      const text = JSON.stringify(body)
      return () => redactSource(text, findings, [KIND], noAlias)
    },
  ],
  [
    'keys of one object',
    (count) => {
      const { body, findings } = keyed(count, '')
      return () => redact(body, findings, [KIND], noAlias)
    },
  ],
  [
    'long keys of one object',
    (count) => {
      const { body, findings } = keyed(count, 'x'.repeat(200))
      return () => redact(body, findings, [KIND], noAlias)
    },
  ],
  [
    'values under long keys',
    (count) => {
      const { body } = keyed(count, 'x'.repeat(200))
      const findings = Object.keys(body).map((key) => finding(`/${pointerToken(key)}`, 0, 3))
      return () => redact(body, findings, [KIND], noAlias)
    },
  ],
  [
    'numbers in a long run of digits',
    (count) => {
      const text = `x ${'12-'.repeat(count * 8)}`
      const findings = Array.from({ length: count }, (_, index) => finding('', 2 + index * 24, 4 + index * 24))
      return () => redactText(text, findings)
    },
  ],
]

function keyed(count: number, tail: string) {
  const names = Array.from({ length: count }, (_, index) => `a${index}@b.example${tail}`)
  const findings = names.map((name) =>
    finding(`/${pointerToken(name)}${KEY_SUFFIX}`, 0, name.indexOf('.example') + '.example'.length),
  )
  return { body: Object.fromEntries(names.map((name) => [name, 'one'])), findings }
}

for (const [what, prepare] of ROWS) {
  test(what, () =>
    assert.equal(
      growthOf((times) => prepare(times * 2_500)),
      undefined,
    ),
  )
}

test('keys that become the same stay apart', () => {
  const { body, findings } = keyed(3, '')
  const names = ['[REDACTED:pii.email]', '[REDACTED:pii.email]~2', '[REDACTED:pii.email]~3']
  assert.deepEqual(Object.keys(redact(body, findings, [KIND], noAlias) as object), names)
  assert.deepEqual(Object.keys(JSON.parse(redactSource(JSON.stringify(body), findings, [KIND], noAlias))), names)
})
