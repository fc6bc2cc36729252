/** A long name stands beside no text below it as a whole: neither in its pointer nor as what tells what the text is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { project } from '../../../server/protocol/projection.ts'
import { StreamProgress } from '../../../server/stream/stream-progress.ts'
import { StreamState } from '../../../server/stream/stream-state.ts'
import { callOf } from '../pipeline/call-fixture.ts'

const NAME = 'k'.repeat(20_000)
const TEXTS = Array.from({ length: 1_000 }, (_, index) => `a${index}`)

/** What every segment holds beside its text, and keys hold none. */
function charsBeside(segments: ReturnType<typeof project>): number {
  return segments.reduce((sum, { pointer, name = '' }) => sum + pointer.length + name.length, 0)
}

const ROWS: readonly (readonly [what: string, value: unknown])[] = [
  ['a list', { [NAME]: TEXTS }],
  ['lists in lists', { [NAME]: TEXTS.map((text) => [text]) }],
  ['pairs', TEXTS.map((value) => ({ name: NAME, value })).slice(0, 100)],
  ['a member of an object in a list', { [NAME]: TEXTS.map((value) => ({ value })) }],
]

for (const [what, metadata] of ROWS) {
  test(`in a body: ${what}`, () => {
    const chars = charsBeside(project({ metadata }))
    assert.ok(chars < 500 * TEXTS.length, String(chars))
  })
  test(`in a chunk of a stream: ${what}`, () => {
    const state = new StreamState(callOf({}), 64, () => undefined as never, new StreamProgress('PUBLIC', [], ''))
    assert.ok(state.accept({ choices: [], more: metadata }, 1))
    const chars = charsBeside(state.pendingCall()?.segments ?? [])
    assert.ok(chars > 0 && chars < 500 * TEXTS.length, String(chars))
  })
}

test('the end of a long name still tells what its value is', () => {
  const [, value] = project({ metadata: { [`${NAME} password`]: 'x' } })
  assert.ok(value?.name?.endsWith(' password'))
})
