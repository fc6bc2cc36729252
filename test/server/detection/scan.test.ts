/** A scanner: one finding for what covers itself, in the text as it stands, and across the parts of a message. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withoutCovered } from '../../../server/detection/covered-match.ts'
import { InspectionError } from '../../../server/core/inspection.ts'
import type { Match } from '../../../server/detection/pattern.ts'
import { createScanner } from '../../../server/detection/scan.ts'
import { project } from '../../../server/protocol/projection.ts'
import { sequence } from '../rules/fixture.ts'

const find =
  (kind: string, word: RegExp, confidence = 1) =>
  (text: string): readonly Match[] =>
    [...text.matchAll(new RegExp(word, 'g'))].map(({ index, 0: found }) => ({
      kind,
      severity: 'low',
      confidence,
      start: index,
      end: index + found.length,
    }))

const places = (body: unknown, look: (text: string) => readonly Match[], vague?: ReadonlySet<string>) =>
  createScanner()(project(body), look, vague).map(({ kind, pointer, span }) => [kind, pointer, ...span])

test('the same thing in several readings is one finding', () => {
  assert.deepEqual(places({ a: '\\u0041BCDEFG and ABCDEFG' }, find('x', /ABCDEFG/)), [
    ['x', '/a', 0, 12],
    ['x', '/a', 17, 24],
  ])
})

test('what another finding of its kind covers is left out; a vague one gives way to any', () => {
  const look = (text: string) => [
    ...find('x', /abcdef/)(text),
    ...find('x', /cd/)(text),
    ...find('vague', /bcd/)(text),
    ...find('y', /bcd/)(text),
  ]
  assert.deepEqual(places({ a: '-abcdef-' }, look, new Set(['vague'])), [
    ['x', '/a', 1, 7],
    ['y', '/a', 2, 5],
  ])
})

const COVERS: readonly (readonly [name: string, outer: number, inner: number, kinds: readonly string[]])[] = [
  ['a surer one', 0.9, 0.6, ['x']],
  ['one as sure', 0.6, 0.6, ['x']],
  ['a weaker one', 0.3, 0.6, ['x', 'x']],
]
for (const [name, outer, inner, kinds] of COVERS) {
  test(`of two of a kind, ${name} covers the other`, () => {
    const look = (text: string) => [...find('x', /abcdef/, outer)(text), ...find('x', /cd/, inner)(text)]
    assert.deepEqual(
      places({ a: '-abcdef-' }, look).map(([kind]) => kind),
      kinds,
    )
  })
}

test('a vague one gives way to what is as sure, and only to that', () => {
  const look = (confidence: number) => (text: string) => [
    ...find('y', /abcdef/, confidence)(text),
    ...find('vague', /abcdef/, 0.8)(text),
  ]
  const kinds = (confidence: number) =>
    places({ a: '-abcdef-' }, look(confidence), new Set(['vague'])).map(([kind]) => kind)
  assert.deepEqual([kinds(0.9), kinds(0.8), kinds(0.4)], [['y'], ['y'], ['y', 'vague']])
})

test('a severe one is not covered by a mild one', () => {
  const severe = (text: string) => find('x', /cd/)(text).map((match) => ({ ...match, severity: 'high' as const }))
  assert.equal(places({ a: '-abcdef-' }, (text) => [...find('x', /abcdef/)(text), ...severe(text)]).length, 2)
})

test('of chance matches, one is left out when another one of its kind covers it that is as good, and only then', () => {
  const next = sequence(5)
  const below = (count: number): number => Math.floor(next() * count)
  for (let round = 0; round < 300; round++) {
    const all = Array.from({ length: 12 }, (_, index): Match => {
      const start = below(20)
      return {
        kind: `k${below(2)}`,
        severity: 'low',
        confidence: below(4) / 4,
        start,
        end: start + 1 + below(9) + index / 100,
      }
    })
    const isCovered = (match: Match): boolean =>
      all.some(
        (other) =>
          other !== match &&
          other.kind === match.kind &&
          other.confidence >= match.confidence &&
          other.start <= match.start &&
          other.end >= match.end,
      )
    assert.deepEqual(
      new Set(withoutCovered(all, new Set())),
      new Set(all.filter((match) => !isCovered(match))),
      JSON.stringify(all),
    )
  }
})

test('what is cut between two parts of a message has a finding in each', () => {
  const part = (text: string) => ({ type: 'text', text })
  const body = { messages: [{ role: 'user', content: [part('say SEC'), part('RET now'), part('and SECRET')] }] }
  assert.deepEqual(places(body, find('x', /SECRET/)), [
    ['x', '/messages/0/content/0/text', 4, 7],
    ['x', '/messages/0/content/1/text', 0, 3],
    ['x', '/messages/0/content/2/text', 4, 10],
  ])
})

test('parts of different messages are no neighbours', () => {
  const message = (text: string) => ({ role: 'user', content: [{ type: 'text', text }] })
  assert.deepEqual(places({ messages: [message('say SEC'), message('RET now')] }, find('x', /SECRET/)), [])
})

test('more than anybody could judge is refused', () => {
  assert.throws(() => places({ a: 'x '.repeat(10_001) }, find('x', /x/)), InspectionError)
})
