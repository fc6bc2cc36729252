/** How long an outage was, from calls: rows of what came back when. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { outageMs, quietMs, type Sample } from '../../../server/drill/call-load.ts'

/** `+` an answer, `-` a failure, with begin and end. */
const samples = (text: string): readonly Sample[] =>
  text
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => {
      const [beginMs = 0, endMs = 0] = word.slice(1).split('…').map(Number)
      return { beginMs, endMs, isAnswered: word.startsWith('+'), id: word }
    })

const rows: readonly (readonly [name: string, text: string, ms: number | undefined])[] = [
  ['no call failed', '+90…95 +100…105 +110…112', 0],
  ['a failure before it does not count', '-80…90 +101…103', 0],
  ['until the first answer to a call that began after the last failure', '-101…110 +120…125 +130…131', 25],
  ['an answer between two failures ends nothing', '-101…110 +112…115 -116…130 +140…141', 41],
  ['a call that was in hand all the time and is answered ends nothing', '+50…115 -101…120 +121…122', 22],
  ['none was answered since', '+50…60 -101…110', undefined],
]
for (const [name, text, ms] of rows)
  test(name, () => {
    assert.equal(outageMs(samples(text), 100), ms)
  })

const quiet: readonly (readonly [name: string, text: string, ms: number])[] = [
  ['calls that wait fail nothing, and are not answered either', '+90…99 +95…2100 +2101…2110', 2000],
  ['the longest of several', '+101…110 +111…300 +301…320', 190],
  ['failures are no answers', '+101…110 -111…200 +201…260', 150],
  ['none at all', '-101…110', 0],
]
for (const [name, text, ms] of quiet)
  test(`quiet: ${name}`, () => {
    assert.equal(quietMs(samples(text), 100), ms)
  })
