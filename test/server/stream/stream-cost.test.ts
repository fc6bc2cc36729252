/** Held text is not scanned again and again, whatever holds it; and others have their turn between two judgements. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LocalStep } from '../../../server/core/step.ts'
import { StreamProgress } from '../../../server/stream/stream-progress.ts'
import { StreamState } from '../../../server/stream/stream-state.ts'
import { chunk } from '../model-server.ts'
import { callOf } from '../pipeline/call-fixture.ts'
import { receive } from './stream-fixture.ts'
import { PROSE, STEPS } from './window-fixture.ts'

const CHARS = 48_000

/** Time does not pass, so that only new text is a reason to judge. */
const STANDING = { nowMs: () => 0, elapsedMs: () => 0 }

const TEXTS: Readonly<Record<string, string>> = {
  prose: PROSE.repeat(CHARS / PROSE.length),
  'numbers and hyphens': '1-'.repeat(CHARS / 2),
  'numbers and slashes': '1/'.repeat(CHARS / 2),
  base64: Buffer.from(PROSE.repeat(CHARS / PROSE.length))
    .toString('base64')
    .slice(0, CHARS),
  'one word': 'a'.repeat(CHARS),
  'the beginning of a key': `-----BEGIN PRIVATE KEY-----\n${`${'QUJD'.repeat(16)}\n`.repeat(CHARS / 65)}`,
}

for (const [what, text] of Object.entries(TEXTS)) {
  for (const [size, isDripped] of [
    [4, false],
    [60, true],
  ] as const) {
    test(`what is scanned is a few times the text: ${what}, ${isDripped ? 'one by one' : 'at once'}`, async () => {
      let scanned = 0
      const count: LocalStep = {
        name: 'count',
        position: 1,
        category: 'test',
        stages: ['response'],
        matchCharsMax: 0,
        pendingFrom: (all) => all.length,
        inspect: ({ segments }) => {
          for (const segment of segments) scanned += segment.text.length
          return []
        },
      }
      const chunks = (text.match(new RegExp(`[\\s\\S]{1,${size}}`, 'g')) ?? []).map((content) => chunk({ content }))
      await receive([...chunks, chunk({}, 'stop'), 'data: [DONE]\n\n'], isDripped, [count, ...STEPS], {
        clock: STANDING,
      })
      assert.ok(scanned < text.length * 14, `${scanned} of ${text.length}`)
    })
  }
}

test('of a long string beside the choices, only its end is read for what may go on', () => {
  let most = 0
  const pendingFrom = (text: string): number => {
    most = Math.max(most, text.length)
    return text.length
  }
  const state = new StreamState(callOf({}), 64, pendingFrom, new StreamProgress('PUBLIC', [], ''))
  assert.ok(state.accept({ choices: [], more: '\u00e9'.repeat(600_000) }, 1))
  assert.ok(state.pendingCall())
  state.settle([])
  assert.ok(most > 0 && most < 20_000, String(most))
})

test('others have their turn while a stream is judged', async () => {
  let turns = 0
  let isOver = false
  const turn = (): void => {
    turns++
    if (!isOver) setImmediate(turn)
  }
  setImmediate(turn)
  const chunks = (TEXTS['prose'] as string).match(/[\s\S]{1,8}/g)?.map((content) => chunk({ content })) ?? []
  const received = await receive([...chunks, ...chunks, ...chunks, 'data: [DONE]\n\n'], true)
  isOver = true
  assert.ok(turns >= Number(received.bench.entries.at(-1)?.details['judgements']))
})
