/** A secret whose pieces take turns with other texts of its choice: little more of it leaves than what is the same in all of its kind. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chunk } from '../model-server.ts'
import { NAMED_SECRETS, SECRETS } from '../rules/secret-fixture.ts'
import { joinedTexts, receive } from './stream-fixture.ts'

/** Characters of a value that may leave. */
const VALUE_CHARS_MAX = 5

/** Of a token, which begins with a sign of its kind: `sk-svcacct-`. */
const TOKEN_CHARS_MAX = 22

const FIELDS: readonly ((text: string) => object)[] = [
  (content) => chunk({ content }),
  (reasoning_content) => chunk({ reasoning_content }),
  (text) => chunk({ tool_calls: [{ index: 0, function: { arguments: text } }] }),
  (text) => chunk({ note: { text } }),
]
const OTHERS = ['so far ', '{"a": ', 'and then ']

/** What leaves of a text in the field of that number, whose pieces take turns with the others. */
async function leftOf(text: string, size: number, number: number): Promise<string> {
  const own = FIELDS[number] as (text: string) => object
  const others = FIELDS.filter((field) => field !== own)
  const pieces = text.match(new RegExp(`[^]{1,${size}}`, 'gu')) ?? []
  const chunks = pieces.flatMap((piece, at) => [own(piece), others[at % 3]?.(OTHERS[at % 3] as string) ?? {}])
  const received = await receive([...chunks, chunk({}, 'stop'), 'data: [DONE]\n\n'], true)
  assert.equal(received.error?.code, 'policy.blocked_response')
  const [pointer = ''] = Object.keys(joinedTexts([own('x')])).filter((key) => !key.endsWith('finish_reason'))
  return joinedTexts(received.chunks)[pointer] ?? ''
}

for (const [row, [kind, before, value, after]] of NAMED_SECRETS.entries()) {
  test(`a value behind its name, by turns: ${row} ${kind}`, async () => {
    for (const size of [1, 2, 3, 7]) {
      const left = await leftOf(before + value + after, size, row % FIELDS.length)
      assert.ok(left.length <= before.length + VALUE_CHARS_MAX, `${size}: ${left}`)
    }
  })
}

for (const [row, [kind, token]] of SECRETS.entries()) {
  test(`a token by turns: ${row} ${kind}`, async () => {
    for (const size of [1, 2, 3, 7]) {
      const left = await leftOf(token, size, row % FIELDS.length)
      if (kind.includes('private_key')) assert.match(left, /^[-A-Z ]*$|^PuTTY-User-Key[-File]*$/)
      else assert.ok(left.length <= TOKEN_CHARS_MAX, `${size}: ${left}`)
    }
  })
}
