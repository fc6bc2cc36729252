/** The upgrade ladder: which stops are between two versions, and the path over them. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { isOlder, parseLadder, pathOf } from '../../../scripts/artifacts/release-ladder.ts'

const stops = parseLadder(
  'stops: [{ version: 2.0.0, reason: two }, { version: 1.4.0, reason: one }, { version: 3.0.0, reason: three }]',
)

const rows = [
  { from: '1.3.0-aaaaaaaaaaaa', to: '1.3.0-bbbbbbbbbbbb', path: [] },
  { from: '1.3.0', to: '1.4.0', path: [] },
  { from: '1.4.0-aaaaaaaaaaaa', to: '1.5.0', path: [] },
  { from: '1.3.9', to: '1.4.1', path: ['1.4.0'] },
  { from: '0.1.0', to: '10.0.0', path: ['1.4.0', '2.0.0', '3.0.0'] },
  { from: '1.10.0', to: '2.0.1-rc.1-aaaaaaaaaaaa', path: ['2.0.0'] },
  { from: '3.1.0', to: '1.0.0', path: [] },
] as const

for (const { from, to, path } of rows)
  test(`${from} to ${to} goes over ${path.join(', ') || 'nothing'}`, () =>
    assert.deepEqual(pathOf(stops, from, to), [from, ...path, to]))

test('versions are compared by their numbers', () => {
  assert.deepEqual(
    [isOlder('1.9.0', '1.10.0'), isOlder('1.9.0-a', '1.9.0-b'), isOlder('2.0.0', '1.9.9')],
    [true, false, false],
  )
})

test('the ladder of this release is one; another text is none', () => {
  parseLadder(readFileSync(join(import.meta.dirname, '../../../upgrades.yaml'), 'utf8'))
  for (const text of ['', 'stops: [{ version: 1.4, reason: x }]', 'stops: [{ version: 1.4.0 }]', 'other: []'])
    assert.throws(() => parseLadder(text), text)
})
