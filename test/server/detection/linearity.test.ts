/**
 * Every detector is linear: what is made to be slow for it takes four times the work when it is four times as long. Work
 * is counted where it can be (expressions that are tried, characters that a match goes on over), so that no machine is
 * too slow for it; else it is a ratio of processor times.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createContext, runInContext } from 'node:vm'
import { type Adversary, adversariesOf, OTHER_ADVERSARIES, repeatedTo } from '../../../bench/adversary.ts'
import { InspectionError } from '../../../server/core/inspection.ts'
import type { LocalStep } from '../../../server/core/step.ts'
import { matchAt, type Pattern } from '../../../server/detection/pattern.ts'
import type { Phrase } from '../../../server/detection/phrase.ts'
import { pendingRunStart } from '../../../server/normalization/encoded-text.ts'
import { holdFrom, pendingStart } from '../../../server/normalization/pending-variant.ts'
import { RULE_FUNCTIONS } from '../../../server/rules/check/rule-functions.ts'
import { readRuleFiles } from '../../../server/rules/rule-source.ts'
import { createStep as createClassify } from '../../../server/steps/classify-data.ts'
import { createStep as createInjection } from '../../../server/steps/detect-injection.ts'
import { createStep as createOpaque } from '../../../server/steps/detect-opaque.ts'
import { createStep as createPii } from '../../../server/steps/detect-pii.ts'
import { createStep as createSecrets } from '../../../server/steps/detect-secrets.ts'
import { step as detectUnicode } from '../../../server/steps/detect-unicode.ts'
import { createStep as createOutput } from '../../../server/steps/scan-output.ts'
import { growthOf } from '../../processor-time.ts'
import { rowsHere } from '../../rounds.ts'
import { callOf } from '../pipeline/call-fixture.ts'
import { testEngine } from './engine-fixture.ts'

/** A pattern without anything beside it. */
const PLAIN: Pattern = { kind: 'x.y', severity: 'low', confidence: 1, keywords: ['tp_'], pattern: /tp_/dy }

const KB = 1024
const SIZES = [64 * KB, 256 * KB, 1024 * KB] as const

/** How much more work four times the text may be, and what is too little to compare. */
const GROWTH_MAX = 4.5
const COUNT_FLOOR = 200

/** Counts what the rules of a set do. */
type Work = { count: number }

/** A pattern that counts how often it is tried, and the characters that its matches go on over. */
function countedPattern(pattern: Pattern, work: Work): Pattern {
  const { extend, isPlausible } = pattern
  const isTried: Pattern['isPlausible'] = (text, at) => {
    work.count += 1
    return isPlausible?.(text, at) ?? true
  }
  if (extend === undefined) return { ...pattern, isPlausible: isTried }
  const extended: Pattern['extend'] = (text, end) => {
    const to = extend(text, end)
    work.count += to - end
    return to
  }
  return { ...pattern, isPlausible: isTried, extend: extended }
}

/** An expression that counts the characters that it looks through. */
class CountedExpression extends RegExp {
  work: Work = { count: 0 }
  override [Symbol.matchAll](text: string) {
    this.work.count += text.length
    return super[Symbol.matchAll](text)
  }
}

function countedPhrase(phrase: Phrase, work: Work): Phrase {
  const pattern = new CountedExpression(phrase.pattern.source, phrase.pattern.flags)
  pattern.work = work
  return { ...phrase, pattern }
}

/** Returns what counts the work of one rule on a text. */
function workOf(family: string, id: string): (text: string) => number {
  const work: Work = { count: 0 }
  const own = testEngine()
  const { patterns, numbers, phones, phrases } = own.rules(family)
  const isOwn = ({ rule }: Pick<Pattern, 'rule'>): boolean => rule === id
  const set = {
    patterns: patterns.filter(isOwn).map((pattern) => countedPattern(pattern, work)),
    numbers: numbers
      .filter(({ pattern }) => isOwn(pattern))
      .map((number) => ({ ...number, pattern: countedPattern(number.pattern, work) })),
    phones: phones.filter(isOwn).map((pattern) => countedPattern(pattern, work)),
  }
  const ownPhrases = phrases.filter(isOwn).map((phrase) => countedPhrase(phrase, work))
  const detectPhrases = own.phraseDetector(ownPhrases)
  const detect = own.detector({ ...set, phrases: [] })
  return (text) => {
    work.count = 0
    if (ownPhrases.length === 0) detect(text)
    else detectPhrases(text, ({ confidence }) => confidence)
    return work.count
  }
}

describe('four times as much of what is made for a rule is four times the work', () => {
  for (const { file } of readRuleFiles()) {
    for (const rule of rowsHere(file.rules)) {
      test(`${file.family}/${rule.id}`, () => {
        const count = workOf(file.family, `${file.family}/${rule.id}`)
        for (const unit of adversariesOf(rule)) {
          const counts = SIZES.map((size) => count(repeatedTo(size, { name: rule.id, unit })))
          const isLinear = counts.every(
            (each, index) => index === 0 || each <= GROWTH_MAX * Math.max(COUNT_FLOOR, counts[index - 1] ?? 0),
          )
          assert.ok(isLinear, `${JSON.stringify(unit)}: ${counts}`)
        }
      })
    }
  }
})

test('work that grows with the square is seen', () => {
  const work: Work = { count: 0 }
  const toTheEnd = countedPattern({ ...PLAIN, extend: (text) => text.length }, work)
  const counts = [KB, 4 * KB].map((size) => {
    const text = repeatedTo(size, { name: '', unit: 'tp_' })
    work.count = 0
    for (let at = text.indexOf('tp_'); at >= 0; at = text.indexOf('tp_', at + 1)) matchAt(text, at, toTheEnd)
    return work.count
  })
  assert.ok((counts[1] ?? 0) > 12 * (counts[0] ?? 0), String(counts))
})

const engine = testEngine()
const STEPS: readonly LocalStep[] = [
  createPii(engine),
  createSecrets(engine),
  detectUnicode,
  createClassify(engine),
  createInjection(engine),
  createOutput(engine),
  createOpaque(engine),
]

/** What a stream asks of the text that it holds; and what steps do with a text. */
const READERS: readonly (readonly [name: string, read: (text: string) => void])[] = [
  ...STEPS.map(({ name, inspect }) => [name, (text: string) => inspectText(inspect, text)] as const),
  ['pendingRunStart', pendingRunStart],
  ['holdFrom', (text) => holdFrom(text, 256)],
  ...STEPS.flatMap(({ name, pendingFrom }) =>
    pendingFrom === undefined
      ? []
      : [[`${name}, pending`, (text: string) => void pendingStart(text, pendingFrom)] as const],
  ),
]

function inspectText(inspect: LocalStep['inspect'], text: string): void {
  try {
    inspect(callOf({}, { segments: [{ pointer: '/t', author: 'user', text }] }), undefined as never)
  } catch (cause) {
    if (!(cause instanceof InspectionError)) throw cause
  }
}

/** Says why a reader is not linear on what is made of an adversary; undefined when it is. */
function growthOn(adversary: Adversary, read: (text: string) => void): string | undefined {
  return growthOf((times) => {
    const text = repeatedTo(times * 64 * KB, adversary)
    return () => read(text)
  })
}

test('time that grows with the square is seen', () => {
  let steps = 0
  const squared = (text: string): void => {
    for (let left = (text.length / 26) ** 2; left > 0; left -= 1) steps += left & 1
  }
  assert.match(growthOn({ name: '', unit: 'a' }, squared) ?? '', /16 times/)
  assert.ok(steps > 0)
})

describe('four times the text is about four times the processor time, whatever the text is made of', () => {
  for (const adversary of rowsHere(OTHER_ADVERSARIES)) {
    test(adversary.name, () => {
      for (const [name, read] of READERS) assert.equal(growthOn(adversary, read), undefined, name)
    })
  }
})

test('what a stream asks about octets at its end is linear, too', () => {
  const read = (text: string): void => void pendingRunStart(`${text}x 1`)
  assert.equal(growthOn({ name: '', unit: '01101000 ' }, read), undefined)
})

/** Values that make a careless check go back and forth. */
const VALUES = 'a_ a. a- a1 _ aB3 0 1. a: / x= [ %41 password {a <a'
  .split(' ')
  .flatMap((unit) => ['', '!', ' ', '1', '\n'].map((end) => unit.repeat(256).slice(0, 255) + end))

describe('the functions that rules name read a value in one way only', () => {
  for (const [name, { run }] of [...Object.entries(RULE_FUNCTIONS.checks), ...Object.entries(RULE_FUNCTIONS.grades)]) {
    test(name, () => {
      const context = createContext({ judge: () => VALUES.forEach((value) => void run(value, value)) })
      // A check that goes through all ways to read a value would take longer than the universe is old.
      runInContext('judge()', context, { timeout: 60_000 })
    })
  }
})
