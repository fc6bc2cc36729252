/**
 * Bodies by chance, the same for the same seed: what clients send, what nobody sends, and what is made for a detector. Each
 * may hold a marker, which is a secret, at a random place.
 */

import { readRuleFiles } from '../server/rules/rule-source.ts'
import { adversariesOf, OTHER_ADVERSARIES } from './adversary.ts'

/** A source of chance. */
export type Chance = Readonly<{
  below: (bound: number) => number
  pick: <T>(all: readonly T[]) => T
  is: (share: number) => boolean
}>

/** Creates a source that gives the same for the same seed (mulberry32). */
export function createChance(seed: number): Chance {
  let state = seed | 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
  const below = (bound: number): number => Math.floor(next() * bound)
  return { below, pick: (all) => all[below(all.length)] as (typeof all)[number], is: (share) => next() < share }
}

/** Units of all rules and of no rule; short ones, since most bodies are. */
const UNITS = [
  ...readRuleFiles().flatMap(({ file }) => file.rules.flatMap(adversariesOf)),
  ...OTHER_ADVERSARIES.map(({ unit }) => unit),
]

const WORDS = 'the answer is not here, ask for it again tomorrow or never and be glad of what was there before'.split(
  ' ',
)
const KEYS =
  'role content type text name id arguments function tool_calls metadata input output value key title parameters properties user stop n x_1'.split(
    ' ',
  )
const ODD_KEYS = [
  '',
  '__proto__',
  'constructor',
  'a/b',
  'a~b',
  '\u0000',
  '\ud800',
  'é'.repeat(20),
  'k'.repeat(300),
  'password',
  'api key',
]

function character(chance: Chance): string {
  if (chance.is(0.1))
    return chance.pick(['\ud800', '\udc00', '\u200b', '\u202e', '\u0000', '\ufeff', '\u{e0041}', '\u{1f600}'])
  return String.fromCodePoint(chance.is(0.5) ? chance.below(0x100) : chance.below(0xd800))
}

function piece(chance: Chance): string {
  switch (chance.below(9)) {
    case 0:
      return chance.pick(UNITS)
    case 1:
      return chance.pick(UNITS).repeat(1 + chance.below(8))
    case 2:
      return Array.from({ length: chance.below(20) }, () => character(chance)).join('')
    case 3:
      return String(chance.below(2 ** 31) * chance.below(2 ** 31))
    case 4:
      return Buffer.from(chance.pick(UNITS)).toString(chance.pick(['base64', 'hex', 'base64url'] as const))
    case 5:
      return encodeURIComponent(chance.pick(UNITS).toWellFormed())
    case 6:
      return chance.pick(['\\u0041', '&#65;', '\\', '"', '\n', '\t', '{"a":', ']', '<a '])
    default:
      return chance.pick(WORDS)
  }
}

function textOf(chance: Chance, marker: Marker): string {
  const pieces = Array.from({ length: chance.below(7) }, () => piece(chance))
  if (marker.left > 0 && chance.is(0.2)) {
    marker.left -= 1
    // Between blanks: what touches it could make it part of another word.
    pieces.splice(chance.below(pieces.length + 1), 0, `\n${marker.text}\n`)
  }
  return pieces.join(chance.pick([' ', ' ', '', '\n']))
}

/** A marker, and how often it may still be set. */
type Marker = { readonly text: string; left: number }

function valueBy(chance: Chance, marker: Marker, depth: number): unknown {
  const kind = chance.below(depth > 4 ? 6 : 9)
  if (kind < 4) return textOf(chance, marker)
  if (kind === 4)
    return chance.pick([0, 1, -1, 1e21, 0.5, 4111111111111111, true, false, null, Number.MAX_SAFE_INTEGER])
  if (kind === 5) return chance.below(1e9)
  if (kind === 6) return Array.from({ length: chance.below(6) }, () => valueBy(chance, marker, depth + 1))
  return objectOf(chance, marker, depth)
}

function objectOf(chance: Chance, marker: Marker, depth: number): object {
  const members = Array.from({ length: chance.below(6) }, () => {
    const key = chance.is(0.1) ? textOf(chance, marker) : chance.is(0.1) ? chance.pick(ODD_KEYS) : chance.pick(KEYS)
    return [key, valueBy(chance, marker, depth + 1)] as const
  })
  const value = {}
  // As JSON.parse makes it: `__proto__` is a member like any other.
  for (const [key, member] of members)
    Object.defineProperty(value, key, { value: member, enumerable: true, configurable: true, writable: true })
  return value
}

function messageOf(chance: Chance, marker: Marker): object {
  const parts = (): object[] =>
    Array.from({ length: 1 + chance.below(3) }, () => ({ type: 'text', text: textOf(chance, marker) }))
  return {
    role: chance.pick(['user', 'user', 'system', 'assistant', 'tool', 'developer']),
    content: chance.is(0.3) ? parts() : textOf(chance, marker),
    ...(chance.is(0.2) ? objectOf(chance, marker, 2) : {}),
  }
}

/** A body as clients send it, with anything in it. */
function chatOf(chance: Chance, marker: Marker): object {
  return {
    model: 'gpt-test',
    messages: Array.from({ length: 1 + chance.below(4) }, () => messageOf(chance, marker)),
    ...(chance.is(0.2) ? { metadata: valueBy(chance, marker, 0) } : {}),
    ...(chance.is(0.1) ? { tools: [objectOf(chance, marker, 1)] } : {}),
    ...(chance.is(0.1) ? objectOf(chance, marker, 0) : {}),
  }
}

/** Bodies that are wide, deep or long. */
function extremeOf(chance: Chance, marker: Marker): object {
  const count = 1 + chance.below(400)
  const text = `${chance.pick(UNITS).repeat(count)} ${textOf(chance, marker)}`
  switch (chance.below(4)) {
    case 0:
      return { ...chatOf(chance, marker), metadata: Array.from({ length: count }, () => [chance.pick(WORDS)]) }
    case 1:
      return {
        ...chatOf(chance, marker),
        metadata: Array.from({ length: 1 + chance.below(120) }).reduce((inner) => [inner], text),
      }
    case 2:
      return {
        ...chatOf(chance, marker),
        metadata: { [`${'long '.repeat(count)}${textOf(chance, marker)}`]: { a: text } },
      }
    default:
      return { model: 'gpt-test', messages: [{ role: 'user', content: text }] }
  }
}

/** JSON text, here and there with escapes, blanks and names twice, or cut. */
function written(chance: Chance, value: object): string {
  const text = JSON.stringify(value, null, chance.is(0.1) ? 1 : undefined)
  if (chance.is(0.1)) return text.replace(/\\(?:u[0-9a-f]{4}|.)|[a-z]/g, (found) => escaped(chance, found))
  if (chance.is(0.05)) return text.replace(/"role":"[a-z]+"/, (member) => `${member},${member}`)
  return chance.is(0.01) ? text.slice(0, chance.below(text.length)) : text
}

/** A letter, now and then as an escape; what is one already stays. */
function escaped(chance: Chance, found: string): string {
  return found.length === 1 && chance.is(0.1) ? `\\u00${found.charCodeAt(0).toString(16)}` : found
}

/** A text that is sent, whether the marker is in it, and what the model server answers. */
export type Case = Readonly<{ text: string; answer: string; isMarked: boolean; isAnswerMarked: boolean }>

/** Makes the next case. `marker` is a secret that is always refused. */
export function nextCase(chance: Chance, marker: string): Case {
  const inRequest: Marker = { text: marker, left: chance.is(0.4) ? 1 : 0 }
  const before = inRequest.left
  const make = chance.is(0.04) ? extremeOf : chance.is(0.15) ? objectOf : chatOf
  const text = written(chance, make(chance, inRequest, 0))
  const inAnswer: Marker = { text: marker, left: chance.is(0.3) ? 1 : 0 }
  const leftBefore = inAnswer.left
  const message = {
    role: 'assistant',
    content: textOf(chance, inAnswer),
    ...(chance.is(0.2) ? objectOf(chance, inAnswer, 2) : {}),
  }
  const answer = written(chance, {
    id: 'a',
    object: 'chat.completion',
    model: 'm',
    choices: [{ index: 0, message, finish_reason: 'stop' }],
  })
  return { text, answer, isMarked: inRequest.left < before, isAnswerMarked: inAnswer.left < leftBefore }
}
