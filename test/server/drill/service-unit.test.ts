/** A process of the service is ended: what is typed for it, when it counts as back, and what it says when it is not. The clock and systemd are the test's. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Sample } from '../../../server/drill/call-load.ts'
import type { DrillContext, RunProgram } from '../../../server/drill/drill.ts'
import { containerOf, isRunning, killUnderLoad, processOf, type Victim } from '../../../server/drill/service-unit.ts'

/** Systemd's answers one after the other, the last one again and again; each costs so long. */
const contextOf = (states: readonly string[], answerMs = 100) => {
  let [nowMs, asked] = [0, 0]
  const typed: string[] = []
  const run: RunProgram = async (argv) => {
    if (argv[1] !== 'show') {
      typed.push(argv.join(' '))
      return { code: 0, stdout: '', stderr: '' }
    }
    nowMs += answerMs
    const [state, id = ''] = (states[Math.min(asked, states.length - 1)] ?? '').split(' ')
    asked += 1
    return { code: 0, stdout: `InvocationID=${id}\nActiveState=${state}\n`, stderr: '' }
  }
  const context = { run, clock: { elapsedMs: () => nowMs, nowMs: () => nowMs } } as unknown as DrillContext
  return { context, typed }
}
const loadOf = (samples: readonly Sample[]) => ({ samples, stop: async () => samples })

const victims: readonly (readonly [Victim, string])[] = [
  [containerOf('redis'), 'docker kill tappass-redis'],
  [processOf('one', 'tappass@1.service'), 'systemctl kill --kill-whom=main --signal=SIGKILL tappass@1.service'],
]
for (const [victim, command] of victims)
  test(`${victim.name}: ended by SIGKILL, back when its unit runs anew, and a call was answered since`, async () => {
    const { context, typed } = contextOf(['active a', 'active a', 'activating b', 'active b'])
    const samples: readonly Sample[] = [
      { beginMs: 50, endMs: 120, isAnswered: false, id: '' },
      { beginMs: 250, endMs: 260, isAnswered: true, id: 'x' },
      { beginMs: 410, endMs: 420, isAnswered: true, id: 'y' },
    ]
    const result = await killUnderLoad(context, victim, loadOf(samples))
    assert.deepEqual(typed, [command])
    // The first answer came at 100; the same invocation does not count, nor one that is starting.
    assert.deepEqual(result, { lossMs: 100, outageMs: 160, awayMs: 300 })
  })

test('one that does not come back is told with what to type', async () => {
  const { context } = contextOf(['active a', 'failed a'], 70_000)
  await assert.rejects(
    killUnderLoad(context, containerOf('postgres'), loadOf([])),
    /postgres .*not back .*tappass status/,
  )
})

test('whether a unit runs here', async () => {
  assert.equal(await isRunning(contextOf(['active a']).context, 'x.service'), true)
  assert.equal(await isRunning(contextOf(['inactive']).context, 'x.service'), false)
})
