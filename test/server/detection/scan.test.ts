/** A scanner: one finding for what covers itself, in the text as it stands, and across the parts of a message. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InspectionError } from '../../../server/core/inspection.ts'
import { withoutCovered } from '../../../server/detection/covered-match.ts'
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
  createScanner()(project(body), look, vague === undefined ? {} : { yielding: vague }).map(
    ({ kind, pointer, span }) => [kind, pointer, ...span],
  )

test('the same thing in several readings is one finding', () => {
  assert.deepEqual(places({ a: '\\u0041BCDEFG and ABCDEFG' }, find('x', /ABCDEFG/)), [
    ['x', '/a', 0, 12],
    ['x', '/a', 17, 24],
  ])
})

test('what has more variants than can be read is not read again by the next detector', () => {
  const scan = createScanner()
  const segments = project({ a: '\u200b '.repeat(1_000_001) })
  const failures = [1, 2].map(() => {
    try {
      return scan(segments, find('x', /a/))
    } catch (cause) {
      return cause
    }
  })
  assert.ok(failures[0] instanceof InspectionError)
  assert.equal(failures[1], failures[0])
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

const part = (text: string) => ({ type: 'text', text })
const image = { type: 'image_url', image_url: { url: 'data:,' } }
const message = (...content: readonly unknown[]) => ({ messages: [{ role: 'user', content }] })
const spans = (body: unknown) =>
  places(body, find('x', /SECRET/)).map(([, pointer, start, end]) => `${pointer} ${start}-${end}`)

test('what is cut between two parts of a message has a finding in each', () => {
  assert.deepEqual(spans(message(part('say SEC'), part('RET now'), part('and SECRET'))), [
    '/messages/0/content/0/text 4-7',
    '/messages/0/content/1/text 0-3',
    '/messages/0/content/2/text 4-10',
  ])
})

const CUTS: readonly (readonly [name: string, body: unknown, spans: readonly string[]])[] = [
  ['in three parts', message(part('a SE'), part('CR'), part('ET b')), ['0/text 2-4', '1/text 0-2', '2/text 0-2']],
  ['with an empty part between', message(part('a SEC'), part(''), part('RET b')), ['0/text 2-5', '2/text 0-3']],
  ['with an image between', message(part('a SEC'), image, part('RET b')), ['0/text 2-5', '2/text 0-3']],
  [
    'with an invisible character at the seam',
    message(part('a SEC\u200b'), part('\u2060RET b')),
    ['0/text 2-6', '1/text 0-4'],
  ],
  ['with an escape across the seam', message(part('a SEC\\u00'), part('52ET b')), ['0/text 2-9', '1/text 0-4']],
]
for (const [name, body, expected] of CUTS) {
  test(`what is cut ${name}`, () =>
    assert.deepEqual(
      spans(body),
      expected.map((span) => `/messages/0/content/${span}`),
    ))
}

test('by character, in each part', () => {
  assert.equal(spans(message(...[...'my SECRET'].map(part))).length, 6)
})

test('base64 in parts, and all of it', () => {
  const encoded = Buffer.from('nobody may read this SECRET of all of us').toString('base64')
  const cut = [encoded.slice(0, 9), encoded.slice(9, 30), encoded.slice(30)]
  assert.deepEqual(
    spans(message(...cut.map(part))),
    cut.map((text, index) => `/messages/0/content/${index}/text 0-${text.length}`),
  )
})

const LISTS: readonly (readonly [name: string, body: unknown, pointers: readonly string[]])[] = [
  ['a list of prompts', { prompt: ['a SEC', 'RET b'] }, ['/prompt/0', '/prompt/1']],
  ['a list of inputs', { input: ['a SEC', 'RET b'] }, ['/input/0', '/input/1']],
  ['items of an input', { input: [{ role: 'user', content: [part('a SEC'), part('RET b')] }] }, []],
  ['a system prompt', { system: [part('a SEC'), part('RET b')] }, ['/system/0/text', '/system/1/text']],
  ['the parts of a tool result', message({ type: 'tool_result', content: [part('a SEC'), part('RET b')] }), []],
]
for (const [name, body, pointers] of LISTS) {
  test(`read as one text: ${name}`, () => {
    const found = places(body, find('x', /SECRET/)).map(([, pointer]) => pointer)
    assert.equal(found.length, 2)
    if (pointers.length > 0) assert.deepEqual(found, pointers)
  })
}

test('a part keeps its beginning and its end: no word of the next one touches it', () => {
  const body = message(part('here it is'), part('SECRET'), part('thanks'))
  assert.deepEqual(
    places(body, find('x', /(?<!\w)SECRET(?!\w)/)).map(([, pointer]) => pointer),
    ['/messages/0/content/1/text'],
  )
})

test('each text is matched once as it is, and once without its seams', () => {
  const texts: string[] = []
  createScanner()(project(message(part('first part'), part('other part'))), (text) => {
    texts.push(text)
    return []
  })
  assert.deepEqual(
    texts,
    ['user', 'text', 'first part\nother part', 'first partother part'].filter(({ length }) => length > 5),
  )
})

test('parts of different messages, and of different authors, are no neighbours', () => {
  const one = (text: string) => ({ role: 'user', content: [part(text)] })
  assert.deepEqual(spans({ messages: [one('say SEC'), one('RET now')] }), [])
  const tool = { type: 'tool_result', content: 'RET now' }
  assert.deepEqual(spans(message(part('say SEC'), tool)), [])
})

test('choices are answers of their own, also where their content is called text', () => {
  assert.deepEqual(spans({ choices: [{ text: 'say SEC' }, { text: 'RET now' }] }), [])
})

test('more than anybody could judge is refused', () => {
  assert.throws(() => places({ a: 'x '.repeat(10_001) }, find('x', /x/)), InspectionError)
})
