/** The drill of the tunnel, with connectors of the test: one is ended only while the other one is connected, and has to be connected again. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DrillContext, NotHere, type RunProgram } from '../../../server/drill/drill.ts'
import { drill } from '../../../server/drills/tunnel.ts'

/** Connectors that are away for so many looks after they were ended; `lost` is one that is never connected. */
const contextOf = ({ looks = 3, lost = 0, isHere = true }) => {
  let nowMs = 0
  const away = new Map<number, number>()
  const ended: string[] = []
  const run: RunProgram = async (argv) => {
    nowMs += 10
    const end = (code: number, stdout = '') => ({ code, stdout, stderr: '' })
    if (argv[1] === 'show') return end(0, `ActiveState=${isHere ? 'active' : 'inactive'}\nInvocationID=a\n`)
    if (argv[0] === 'systemctl') {
      ended.push(argv.at(-1) ?? '')
      away.set(Number(/@(\d)/.exec(argv.at(-1) ?? '')?.[1]), looks)
      return end(0)
    }
    const number = Number(/2024(\d)/.exec(argv.at(-1) ?? '')?.[1])
    const left = away.get(number) ?? 0
    away.set(number, left - 1)
    return end(left > 0 || number === lost ? 22 : 0)
  }
  const context = { run, clock: { elapsedMs: () => nowMs, nowMs: () => nowMs } } as unknown as DrillContext
  return { context, ended }
}

test('each in its turn, until it is connected again', async () => {
  const { context, ended } = contextOf({})
  const { rtoMs, rpoMs, steps } = await drill.run(context)
  assert.deepEqual(ended, ['tappass-tunnel@1.service', 'tappass-tunnel@2.service'])
  assert.deepEqual(
    steps.map(({ what }) => what),
    ['connector 1: connected again', 'connector 2: connected again'],
  )
  assert.ok(rtoMs > 0)
  assert.equal(rpoMs, 0)
})

test('while the other one is not connected nothing is ended', async () => {
  const { context, ended } = contextOf({ lost: 2 })
  await assert.rejects(drill.run(context), /connector 2 is not connected: nothing was ended/)
  assert.deepEqual(ended, [])
})

test('a host without a tunnel has nothing to be drilled', async () => {
  await assert.rejects(drill.run(contextOf({ isHere: false }).context), NotHere)
})
