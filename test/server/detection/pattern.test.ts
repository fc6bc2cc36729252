/** The law of patterns: each is bounded, no longer than the reach that its step declares, and tried a bounded number of times. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createKeywordScanner } from '../../../server/detection/aho-corasick.ts'
import type { Pattern } from '../../../server/detection/pattern.ts'
import { WORD_GAP } from '../../../server/detection/rule-form.ts'
import { createStep as createClassify } from '../../../server/steps/classify-data.ts'
import { createStep as createPii } from '../../../server/steps/detect-pii.ts'
import { createStep as createSecrets } from '../../../server/steps/detect-secrets.ts'
import { createStep as createOutput } from '../../../server/steps/scan-output.ts'
import { setOf, testEngine } from './engine-fixture.ts'
import { patternLengths } from './pattern-length.ts'

const engine = testEngine()

function patternsOf(family: string): readonly Pattern[] {
  const { patterns, numbers, phones } = engine.rules(family)
  return [...patterns, ...numbers.filter(({ finder }) => finder === undefined).map(({ pattern }) => pattern), ...phones]
}

const SETS: readonly (readonly [name: string, matchCharsMax: number | undefined, patterns: readonly Pattern[]])[] = [
  ['detect_secrets', createSecrets(engine).matchCharsMax, patternsOf('secret')],
  ['detect_pii', createPii(engine).matchCharsMax, patternsOf('pii')],
  ['classify_data', createClassify(engine).matchCharsMax, patternsOf('class')],
  ['scan_output', createOutput(engine).matchCharsMax, patternsOf('exfiltration')],
]

test('the reader of patterns knows lengths', () => {
  const rows: readonly (readonly [RegExp, number, number, number])[] = [
    [/abc/, 3, 0, 0],
    [/a{2,5}b?/, 6, 0, 0],
    [/(?:ab|c){3}/, 6, 0, 0],
    [/(?<!\w)[a-z\]]{1,4}(?!\w)/, 4, 1, 1],
    [/(?<=x{3})a(?=b{7})/, 1, 7, 3],
    [/\u00e9\x41\p{L}/u, 3, 0, 0],
    [/a*/, Number.POSITIVE_INFINITY, 0, 0],
    [/a+?/, Number.POSITIVE_INFINITY, 0, 0],
    [/a{2,}/, Number.POSITIVE_INFINITY, 0, 0],
  ]
  for (const [pattern, match, ahead, behind] of rows) {
    assert.deepEqual(patternLengths(pattern), { match, ahead, behind }, pattern.source)
  }
})

for (const [name, matchCharsMax, patterns] of SETS) {
  test(`${name}: no match and no look around it is longer than the declared reach`, () => {
    for (const { kind, pattern } of patterns) {
      const { match, ahead, behind } = patternLengths(pattern)
      // A lookbehind may hold the front of the match (an e-mail's name before its @).
      assert.ok(
        match + ahead + behind <= (matchCharsMax ?? 0),
        `${kind}: ${match} + ${ahead} + ${behind}: ${pattern.source}`,
      )
      assert.ok(pattern.sticky && pattern.hasIndices, kind)
    }
  })
}

test('phrases are bounded by what is looked at around a keyword', () => {
  for (const { kind, pattern } of engine.rules('injection').phrases) {
    assert.ok(Number.isFinite(patternLengths(pattern).match), `${kind}: ${pattern.source}`)
  }
})

test('no character is both part of a word and of what is between words, so a phrase can be read in one way only', () => {
  for (let code = 0; code < 0x3000; code++) {
    const character = String.fromCharCode(code)
    assert.ok(!(/\w/.test(character) && new RegExp(WORD_GAP).test(character)), JSON.stringify(character))
  }
})

/** Texts that make a careless expression go back and forth. `#` is where the text repeats. */
const ADVERSARIES: readonly (readonly [name: string, unit: string])[] = [
  ['keywords', 'password = secret token api_key: sk- ghp_ eyJ AKIA xoxb- '],
  ['PEM openings', '-----BEGIN RSA PRIVATE KEY-----\n'],
  ['one letter', 'a'],
  ['digits', '1'],
  ['digits and blanks', '4111 '],
  ['digits and signs', '1-2.3 (4) '],
  ['at signs', 'a@'],
  ['names of hosts', 'a.'],
  ['mail without an end', 'a@b.c.d.'],
  ['colons', 'ab:'],
  ['brackets', '!['],
  ['open images', '![a](https://a?b='],
  ['tags', '<img src='],
  ['slashes', '://:@'],
  ['quotes', '"password":"'],
  ['ignore', 'ignore the previous '],
  ['orders', 'do not tell the user your response '],
  ['base64', 'QUJD'],
  ['escapes', '\\u0041%41&#65;'],
  ['JSON web tokens', 'eyJhbGci.'],
  ['IBANs', 'DE89'],
  ['invisible', '\u200b\u200c'],
]

/** How many patterns are tried, which with bounded patterns bounds the work. */
function tries(text: string): number {
  let count = 0
  const counted = (patterns: readonly Pattern[]): readonly Pattern[] =>
    patterns.map((pattern) => ({
      ...pattern,
      isPlausible: (text, at) => {
        count++
        return pattern.isPlausible?.(text, at) ?? true
      },
    }))
  for (const [, , patterns] of SETS) {
    const own = testEngine()
    const detect = own.detector(setOf(counted(patterns.filter(({ keywords }) => keywords.length > 0))))
    own.scan([{ pointer: '/t', author: 'user', text }], detect)
  }
  return count
}

for (const [name, unit] of ADVERSARIES) {
  test(`twice as much of ${name} is at most a little more than twice the work`, () => {
    const some = tries(unit.repeat(400))
    const double = tries(unit.repeat(800))
    assert.ok(double <= 2 * some + 100, `${some} tries, then ${double}`)
  })
}

test('keywords are found wherever they stand, in either case, overlapping too', () => {
  const found: [number, number][] = []
  createKeywordScanner(['he', 'she', 'his', 'hers', 'a-1'])('uSHErs é his A-1a-1', (keyword, start) =>
    found.push([keyword, start]),
  )
  assert.deepEqual(found, [
    [1, 1],
    [0, 2],
    [3, 2],
    [2, 9],
    [4, 13],
    [4, 16],
  ])
  for (const wrong of ['', 'é', 'a\n']) assert.throws(() => createKeywordScanner([wrong]), /not a keyword/)
})
