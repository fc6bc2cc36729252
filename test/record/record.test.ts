/**
 * Replays the requests and compares each answer with the one on record: status, headers, body, what the model server got,
 * entries of the ledger. TAPPASS_RECORD=write writes the record anew.
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import type { Recorded } from './comparable.ts'
import { layOut } from './layout.ts'
import { replay } from './replay.ts'
import { GROUPS, placeOf } from './requests.ts'

const FILE = join(import.meta.dirname, 'record.json')

/** Headers that nearly every answer has stand once, under this name; what an answer lacks of them is told. */
const USUAL = '(headers of nearly every answer)'
const USUAL_SHARE = 0.8

type Record = Readonly<{ [place: string]: unknown }>

/** Takes the usual headers out of each answer. */
function recordOf(answers: ReadonlyMap<string, Recorded>): Record {
  const counts = new Map<string, number>()
  for (const { headers } of answers.values()) for (const line of headers) counts.set(line, (counts.get(line) ?? 0) + 1)
  const usual = [...counts]
    .filter(([, count]) => count > answers.size * USUAL_SHARE)
    .map(([line]) => line)
    .sort()
  const record: { [place: string]: unknown } = { [USUAL]: usual }
  for (const [place, answer] of answers) {
    const own = answer.headers.filter((line) => !usual.includes(line))
    const missing = usual.filter((line) => !answer.headers.includes(line)).map((line) => `(not ${line})`)
    record[place] = { ...answer, headers: [...own, ...missing] }
  }
  return record
}

let recorded: Record = {}
let replayed: Record = {}
before(async () => {
  const answers = await Promise.all(GROUPS.map(replay))
  replayed = recordOf(new Map(answers.flatMap((group) => [...group])))
  if (process.env['TAPPASS_RECORD'] === 'write') writeFileSync(FILE, `${layOut(replayed)}\n`)
  recorded = JSON.parse(readFileSync(FILE, 'utf8')) as Record
})

const places = GROUPS.flatMap(({ name, phases }) => phases.flat().map(({ what }) => placeOf(name, what)))

test('there are 200 requests and more, each with a name of its own', () => {
  assert.ok(places.length >= 200, `${places.length}`)
  assert.deepEqual(places, [...new Set(places)])
})

test('every answer on record was asked for', () => {
  assert.deepEqual(Object.keys(recorded), Object.keys(replayed))
})

describe('answered as on record', () => {
  for (const place of [USUAL, ...places, ...GROUPS.map(({ name }) => placeOf(name, '(entries of no request)'))]) {
    test(place, () => assert.deepEqual(replayed[place], recorded[place]))
  }
})
