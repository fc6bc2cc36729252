/** However a text is cut into deltas, what leaves is what redacting the whole text gives, and what is found is the same. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mergeSpans } from '../../../server/pipeline/redaction.ts'
import { createWindow, finish, push, release, settle } from '../../../server/stream/release-window.ts'
import { rowsHere, shareOf } from '../../rounds.ts'
import { sequence } from '../rules/fixture.ts'
import { after, before, FIXTURES, key, pieces, stream, whole } from './window-fixture.ts'

for (const [name, fixture] of rowsHere(FIXTURES)) {
  test(`every cut of ${name}: ${fixture.slice(0, 12).replaceAll('\n', ' ')}`, async () => {
    const text = before + fixture + after
    const expected = await whole(text)
    // Long fixtures repeat themselves: every place of the first and last 300, every seventh between.
    for (let at = before.length - 2; at <= before.length + fixture.length + 2; at++) {
      const inside = at - before.length
      if (inside > 300 && inside < fixture.length - 300 && inside % 7 !== 0) continue
      assert.deepEqual(await stream([text.slice(0, at), text.slice(at)]), expected, `cut at ${at}`)
    }
    for (const most of [1, 5, 40, 300]) {
      assert.deepEqual(await stream(pieces(text, most, fixture.length)), expected, `pieces of ${most}`)
    }
    assert.deepEqual(await stream(pieces(fixture, 3, 1)), await whole(fixture), 'alone')
  })
}

test('two fixtures in a row, cut anywhere', async () => {
  const next = sequence(3)
  for (let round = 0; round < shareOf(1_500); round++) {
    const pick = (): string => (FIXTURES[Math.floor(next() * FIXTURES.length)] as readonly [string, string])[1]
    const text = `${before.slice(0, Math.floor(next() * 400))}${pick()}${[' ', '\n', ', ', ''][round % 4]}${pick()}${after}`
    assert.deepEqual(await stream(pieces(text, [1, 20, 90][round % 3] as number, round)), await whole(text), text)
  }
})

test('a match that never ends holds until the window is full, and nothing of it has left', async () => {
  const endless = `${key.slice(0, key.lastIndexOf('\n'))}\n`.concat(`${'QUJD'.repeat(16)}\n`.repeat(2000))
  const { isOverfull, released } = await stream(pieces(before + endless, 900, 1), 20_000)
  assert.equal(isOverfull, true)
  assert.equal(released, before)
})

test('a cut never parts the halves of a surrogate pair', async () => {
  let window = createWindow(3)
  let released = ''
  for (const half of '🔑'.repeat(20)) {
    for (const unit of half.split('')) {
      window = push(window, unit)
      const next = release(window, settle(window, []), [])
      window = next.window
      assert.ok(next.text.isWellFormed())
      released += next.text
    }
  }
  window = finish(window)
  assert.equal(released + release(window, settle(window, []), []).text, '🔑'.repeat(20))
})

test('what is let through is held no longer than its reach', () => {
  const settled = settle(push(createWindow(10), 'x '.repeat(50)), [])
  assert.deepEqual([settled.status, settled.releaseTo, mergeSpans(settled.findings)], ['open', 90, []])
})
