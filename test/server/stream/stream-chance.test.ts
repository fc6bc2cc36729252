/**
 * Streams by chance: chunks of any fields, numbers and cuts. What leaves of each text is what redacting it as a whole gives,
 * nothing changes places within a choice, and what may not leave does not.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type PolicyInput, UNTAINTED, type Verdict } from '../../../server/core/verdict.ts'
import { shareOf } from '../../rounds.ts'
import { chunk } from '../model-server.ts'
import { sequence } from '../rules/fixture.ts'
import { joinedTexts, receive } from './stream-fixture.ts'
import { FIXTURES, look, PROSE, pieces, whole } from './window-fixture.ts'

/** Takes out whatever is found. */
async function decide({ outcomes }: PolicyInput, decisionId: string): Promise<Verdict> {
  const kinds = [...new Set(outcomes.flatMap(({ findings }) => findings.map(({ kind }) => kind)))]
  const head = { policy: 'f'.repeat(64), decisionId, classification: 'PUBLIC', taint: UNTAINTED }
  return kinds.length > 0 ? { ...head, action: 'redact', kinds } : { ...head, action: 'allow' }
}

type Chance = (count: number) => number

const SHORT = FIXTURES.map(([, text]) => text).filter((text) => text.length < 200)

function textOf(below: Chance): string {
  const parts = [
    () => PROSE.slice(0, 1 + below(79)),
    () => PROSE.slice(below(60), 79),
    () => SHORT[below(SHORT.length)] as string,
    () => (SHORT[below(SHORT.length)] as string).slice(0, 1 + below(30)),
    () => ['\n', ' ', '{"a": "', '"}', '12', '👍🏽', 'ü', '![', 'https://'][below(9)] as string,
  ]
  return Array.from({ length: 1 + below(4) }, () => (parts[below(parts.length)] as () => string)()).join('')
}

type Field = (text: string, choice: number) => object

const FIELDS: readonly Field[] = [
  (content, choice) => chunk({ content }, null, choice),
  (reasoning_content, choice) => chunk({ reasoning_content }, null, choice),
  (refusal, choice) => chunk({ refusal }, null, choice),
  (text, choice) => chunk({ tool_calls: [{ index: 0, function: { arguments: text } }] }, null, choice),
  (text, choice) => chunk({ tool_calls: [{ index: 1, function: { arguments: text } }] }, null, choice),
  (text, choice) => chunk({ 'new/field': { deep: [{ index: 3, text }] } }, null, choice),
  (text, choice) => ({ id: 'c', choices: [{ index: choice, text, finish_reason: null }] }),
]

const BETWEEN: readonly ((choice: number) => object | string)[] = [
  (choice) => chunk({}, null, choice),
  (choice) => chunk({ role: 'assistant' }, null, choice),
  (choice) => chunk({ role: 'assistant', content: '' }, '', choice),
  () => ({ id: 'c', choices: [], usage: { total_tokens: 3 } }),
  () => ': ping\n\n',
  () => 'data:\n\n',
]

/** The chunks of one text, and of each choice one text after another; `isMixed` takes pieces of several by turns. */
function partsOf(below: Chance, round: number, isMixed: boolean): readonly (object | string)[] {
  const choices = 1 + below(2)
  const queues = Array.from({ length: choices }, (_, choice) => {
    const fields = FIELDS.toSorted(() => below(3) - 1).slice(0, 1 + below(4))
    const runs = fields.map((field, index) =>
      pieces(textOf(below), [2, 9, 40][below(3)] as number, round + index).map((text) => field(text, choice)),
    )
    return isMixed ? mixed(runs, below) : runs.flat()
  })
  const parts = mixed(queues, below).flatMap((part) => {
    const between = below(8) === 0 ? [(BETWEEN[below(BETWEEN.length)] as (typeof BETWEEN)[number])(below(choices))] : []
    return [part, ...between]
  })
  return [...parts, ...queues.map((_, choice) => chunk({}, 'stop', choice)), 'data: [DONE]\n\n']
}

/** Takes the first of one of the lists again and again. */
function mixed<T>(lists: readonly (readonly T[])[], below: Chance): readonly T[] {
  const rest = lists.map((list) => [...list])
  const all: T[] = []
  while (rest.some((list) => list.length > 0)) {
    const list = rest[below(rest.length)] as T[]
    const first = list.shift()
    if (first !== undefined) all.push(first)
  }
  return all
}

const isChunk = (part: object | string): part is object => typeof part !== 'string'

/** The order of places within each choice; the same place again and again is one. */
function placesOf(chunks: readonly object[]): readonly unknown[] {
  const orders: Record<number, string[]> = {}
  for (const { choices } of chunks as readonly { choices: readonly { index: number }[] }[]) {
    for (const choice of choices) {
      orders[choice.index] ??= []
      for (const pointer of Object.keys(joinedTexts([{ choices: [choice] }]))) {
        if (orders[choice.index]?.at(-1) !== pointer) orders[choice.index]?.push(pointer)
      }
    }
  }
  return Object.entries(orders)
}

/** Strings that are no texts stand in every chunk. */
const isText = ([pointer]: readonly [string, string]): boolean => !/\/(role|finish_reason)$/.test(pointer)

for (const isMixed of [false, true]) {
  const what = isMixed ? 'fields that take turns' : 'one field after another'
  test(`chance: ${what}`, async () => {
    const next = sequence(isMixed ? 41 : 40)
    const below: Chance = (count) => Math.floor(next() * count)
    for (let round = 0; round < shareOf(1_500); round++) {
      const parts = partsOf(below, round, isMixed)
      const chunks = parts.filter(isChunk)
      const received = await receive(parts, round % 2 === 1, undefined, {
        policy: { revision: 'f'.repeat(64), decide },
      })
      const note = JSON.stringify(parts)
      assert.ok(received.isDone && received.isComplete && received.error === undefined, note)
      assert.deepEqual(placesOf(received.chunks), placesOf(chunks), note)
      const texts = joinedTexts(received.chunks)
      for (const [pointer, text] of Object.entries(joinedTexts(chunks)).filter(isText)) {
        if (isMixed) await assertNothingLeft(text, texts[pointer] ?? '', note)
        else assert.equal(texts[pointer], (await whole(text)).released, note)
      }
    }
  })
}

/**
 * Of a text that others interrupt, the harmless beginning of a match may have left, never all of one; and what would be one if the
 * text ended where it was interrupted may be taken out.
 */
async function assertNothingLeft(text: string, left: string, note: string): Promise<void> {
  const findings = await look(text)
  if (findings.length === 0 && !left.includes('[REDACTED:')) assert.equal(left, text, note)
  for (const { kind, span } of findings) {
    const found = text.slice(...span)
    const again = text.split(found).length - 1
    assert.ok(left.split(found).length - 1 < again, `${kind} left: ${left}\n${note}`)
  }
}
