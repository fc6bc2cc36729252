/** What an opening calls over is over: no text that follows changes what a detector finds there. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PendingFrom } from '../../../server/core/step.ts'
import { patternsByGroup, pendingFromNumbers } from '../../../server/detection/number-detector.ts'
import { partialMatchPattern, pendingFromPatterns } from '../../../server/detection/partial-match.ts'
import { type Detector, matchAt, type Pattern } from '../../../server/detection/pattern.ts'
import { createPhoneDetector, pendingFromPhones } from '../../../server/detection/phone-detector.ts'
import { type Alternatives, type Element, parseRegex, quantified } from '../../../server/detection/regex-syntax.ts'
import { sequence } from '../rules/fixture.ts'
import { setOf, testEngine } from './engine-fixture.ts'

const engine = testEngine()
const { numbers: NUMBERS, phones: PHONE_PATTERNS } = engine.rules('pii')
const NUMBER_PATTERNS = NUMBERS.filter(({ finder }) => finder === undefined).map(({ pattern }) => pattern)
const NUMBER_PATTERNS_BY_GROUP = patternsByGroup(NUMBERS)
const phoneDetector = createPhoneDetector(PHONE_PATTERNS)

const REACH_CHARS = 256
const next = sequence(11)
const below = (count: number): number => Math.floor(next() * count)
const pick = <Item>(items: readonly Item[]): Item => items[below(items.length)] as Item

const CHARACTERS = [
  ...Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)),
  '\n',
  '\t',
  'é',
  '\u00a0',
  '–',
]

/** Makes a text that a pattern may match: every part of it written out by chance, what it looks for around it too. */
function write(alternatives: Alternatives, flags: string): string {
  return pick(alternatives)
    .elements.map((element) => writeTimes(element, flags))
    .join('')
}

function writeTimes(element: Element, flags: string): string {
  const { once, min, max } = quantified(element)
  const most = Number.isFinite(max) ? max : Math.max(1, min)
  const count = [min, Math.min(most, min + 3), min + below(most - min + 1)][below(3)] as number
  return Array.from({ length: count }, () => writeOne(once, flags)).join('')
}

function writeOne(element: Element, flags: string): string {
  if (element.type === 'Assertion' && element.kind === 'word') return ''
  if ('alternatives' in element) {
    const isNegated = element.type === 'Assertion' && 'negate' in element && element.negate
    // What is looked for ahead is, for some, what follows anyway.
    const isLeftOut = element.type === 'Assertion' && element.kind === 'lookahead' && below(2) === 0
    return isLeftOut || isNegated ? '' : write(element.alternatives, flags)
  }
  const wanted = new RegExp(`^${element.raw}$`, flags.includes('i') ? 'i' : '')
  return pick(
    CHARACTERS.filter((character) => wanted.test(character)).concat(
      /^.$/.test(element.raw) && wanted.test(element.raw) ? element.raw : [],
    ),
  )
}

/** What may stand around a match, some of it such that it is none. */
const AROUND = [
  '',
  ' ',
  ', ',
  '. ',
  '\n',
  ' the end. ',
  'x',
  '7',
  '-',
  '.1',
  ' 12',
  '"',
  ') ',
  '/',
  ' office',
  '@',
  ' 1234 5678',
  ':ab',
  '] b',
]

/** Fails when something that an opening called over comes out otherwise after all. */
function obey(text: string, detect: Detector, opening: PendingFrom): void {
  const all = detect(text)
  for (let cut = 1; cut < text.length; cut++) {
    const open = opening(text.slice(0, cut))
    const isOver = ({ start }: { start: number }): boolean => start < open && start >= cut - REACH_CHARS
    const now = detect(text.slice(0, cut)).filter(isOver)
    assert.deepEqual(now, all.filter(isOver), `${JSON.stringify(text)} cut at ${cut}, open from ${open}`)
  }
}

const SETS: readonly (readonly [name: string, patterns: readonly Pattern[]])[] = [
  ['personal data', engine.rules('pii').patterns],
  ['secrets', engine.rules('secret').patterns],
  ['markings', engine.rules('class').patterns],
  ['output', engine.rules('exfiltration').patterns],
]

for (const [name, patterns] of SETS) {
  test(`no prefix of a match leaves, and what is over stays as it is: ${name}`, () => {
    for (const pattern of patterns) {
      // Whether a value passes its check is decided with its last character: without the check there is more to break.
      const { score: _, ...unjudged } = pattern
      const detect = testEngine().detector(setOf([unjudged]))
      const opening = pendingFromPatterns([unjudged], REACH_CHARS)
      const alternatives = parseRegex(pattern.pattern)
      let matches = 0
      for (let round = 0; round < 400 && (round < 40 || matches < 20); round++) {
        const text = `Some ${pick(AROUND)}${write(alternatives, pattern.pattern.flags)}${pick(AROUND)}${pick(AROUND)} and`
        matches += detect(text).length
        obey(text, detect, opening)
      }
      assert.ok(matches > 0, `no text for ${pattern.kind}: ${pattern.pattern.source}`)
    }
  })
}

test('no prefix of a number leaves', () => {
  const opening = pendingFromNumbers(NUMBERS, REACH_CHARS)
  for (const pattern of NUMBER_PATTERNS) {
    const { score: _, ...unjudged } = pattern
    let matches = 0
    for (let round = 0; round < 400 && matches < 30; round++) {
      const before = `Some ${pick(['', ' ', ', ', '(', 'AB '])}`
      const text = before + write(parseRegex(pattern.pattern), 'd') + pick(AROUND)
      for (let at = before.length; at < text.length; at++) {
        const group = /\d/.test(text.charAt(at - 1)) ? 0 : (/^\d+/.exec(text.slice(at))?.[0].length ?? 0)
        if (!NUMBER_PATTERNS_BY_GROUP[group]?.includes(pattern)) continue
        const match = matchAt(text, at, unjudged)
        if (match === undefined) continue
        matches++
        for (let cut = match.start + 1; cut <= match.end; cut++) {
          assert.ok(opening(text.slice(0, cut)) <= match.start, `${JSON.stringify(text)} cut at ${cut}`)
        }
      }
    }
    assert.ok(matches > 0, `no text for ${pattern.kind}: ${pattern.pattern.source}`)
  }
})

test('no prefix of a telephone number leaves, and what is over stays as it is', () => {
  const opening = pendingFromPhones(PHONE_PATTERNS, REACH_CHARS)
  let matches = 0
  for (let round = 0; round < 1_500; round++) {
    const { pattern } = pick(PHONE_PATTERNS)
    const text = `Some ${pick(AROUND)}${write(parseRegex(pattern), 'di')}${pick(AROUND)}${pick(AROUND)} and`
    matches += phoneDetector(text).length
    obey(text, phoneDetector, opening)
  }
  assert.ok(matches > 100, `${matches}`)
})

test('a pattern is undecided where more text could change what it does', () => {
  const rows: readonly (readonly [RegExp, text: string, isOpen: boolean])[] = [
    [/abc/y, 'ab', true],
    [/abc/y, 'abd', false],
    [/abc/y, 'abcd', false],
    [/a(?!b)/y, 'a', true],
    [/a(?!b)/y, 'ac', false],
    [/a(?=\d{2})/y, 'a1', true],
    [/a(?=\d{2})/y, 'a12x', false],
    [/a{2,4}b?/y, 'aaa', true],
    [/a{2,4}b?c/y, 'aaaab', true],
    [/(?:ab|ac){2}d/y, 'aba', true],
    [/(?:ab|ac){2}d/y, 'abad', false],
    [/(?<!x)a[^b]{0,3}?b/y, 'axx', true],
    [/(?<!x)a[^b]{0,3}?b/y, 'axxxx', false],
    [/a\b/y, 'a', true],
    [/a\b/y, 'a ', false],
  ]
  for (const [pattern, text, isOpen] of rows)
    assert.equal(partialMatchPattern(pattern).test(text), isOpen, `${pattern} ${text}`)
  for (const wrong of [/^a/y, /a$/y, /(a)\1/y, /(?<n>a)/y]) assert.throws(() => partialMatchPattern(wrong), /syntax/)
})
