/** One confirmation for equal plans: who is asked about together, what the question says, and for whom an answer counts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { PlanEvent } from '../../../scripts/output/plan-group.ts'
import { createSharedConfirmation } from '../../../scripts/session/shared-confirmation.ts'

const planOf = (...names: readonly string[]): PlanEvent => ({
  event: 'plan',
  resources: 60,
  changes: names.map((name) => ({ resource: `file:${name}`, action: `write ${name}`, reason: 'it is absent' })),
})
const A = planOf('/etc/a')
const B = planOf('/etc/a', '/etc/b')

const rig = (hosts: number, patienceMs?: number) => {
  const said: string[] = []
  const controller = new AbortController()
  const pending: ((answer: boolean) => void)[] = []
  const shared = createSharedConfirmation({
    hosts,
    ask: (host, changes) => {
      said.push(`${changes} to ${host}?`)
      return new Promise((resolve) => pending.push(resolve))
    },
    show: (names, plan) => said.push(`plan of ${names.join(', ')}: ${plan.changes.length}`),
    repeat: (host, first) => said.push(`${host} as ${first}`),
    interrupt: controller.signal,
    ...(patienceMs === undefined ? {} : { patienceMs }),
  })
  const settled = new Map<string, boolean | string>()
  const plan = (host: string, event: PlanEvent) => {
    assert.equal(shared.keep(host, event), event.changes.length > 0)
    shared.confirm(host, event.changes.length).then(
      (answer) => settled.set(host, answer),
      (error: Error) => settled.set(host, error.message),
    )
  }
  return { shared, said, plan, settled, controller, answer: (yes: boolean) => pending.shift()?.(yes) }
}

test('confirmation: one question for equal plans, one for each other, when all have planned', async () => {
  const { shared, said, plan, settled, answer } = rig(4)
  for (const host of ['a', 'b', 'c', 'd']) shared.begin(host)
  plan('a', A)
  plan('b', B)
  plan('c', A)
  await turn()
  assert.deepEqual(said, [], 'd may have the same plan')
  shared.end('d')
  await turn()
  assert.deepEqual(said, ['plan of a, c: 1', '1 to each of these 2 hosts?', 'plan of b: 2', '2 to b?'])
  answer(true)
  answer(false)
  await turn()
  assert.deepEqual(Object.fromEntries(settled), { a: true, b: false, c: true })
})

test('confirmation: the question says that it counts for further hosts, and they are not asked again', async () => {
  const { shared, said, plan, settled, answer } = rig(4)
  shared.begin('a')
  plan('a', A)
  await turn()
  answer(true)
  await turn()
  shared.end('a')
  // The next batch.
  for (const host of ['b', 'c', 'd']) shared.begin(host)
  plan('b', A)
  plan('c', B)
  shared.end('d')
  await turn()
  answer(true)
  await turn()
  assert.deepEqual(said, [
    'plan of a: 1',
    '1 to a, and to any of the 3 others if its plan is the same?',
    'b as a',
    'plan of c: 2',
    '2 to c?',
  ])
  assert.deepEqual(Object.fromEntries(settled), { a: true, b: true, c: true })
})

test('confirmation: a no counts for equal plans, too', async () => {
  const { shared, plan, settled, answer, said } = rig(2)
  shared.begin('a')
  plan('a', A)
  await turn()
  answer(false)
  shared.end('a')
  shared.begin('b')
  plan('b', A)
  await turn()
  assert.deepEqual(Object.fromEntries(settled), { a: false, b: false })
  assert.deepEqual(said, ['plan of a: 1', '1 to a, and to the other one if its plan is the same?', 'b as a'])
})

test('confirmation: a host that hangs is not waited for', async () => {
  const { shared, said, plan } = rig(2, 1)
  shared.begin('a')
  shared.begin('hanging')
  plan('a', A)
  while (said.length === 0) await turn()
  assert.deepEqual(said, ['plan of a: 1', '1 to a, and to the other one if its plan is the same?'])
})

test('confirmation: a plan that nobody is asked about is shown when its host ends; one after the answer is shown at once', async () => {
  const { shared, said, plan } = rig(2)
  shared.begin('a')
  shared.begin('b')
  shared.keep('a', A)
  shared.end('a')
  assert.deepEqual(said, ['plan of a: 1'])
  plan('b', B)
  await turn()
  assert.equal(shared.keep('b', A), false)
})

test('confirmation: an interrupt ends the waiting', async () => {
  const { shared, plan, settled, controller, said } = rig(2)
  shared.begin('a')
  shared.begin('b')
  plan('a', A)
  controller.abort('SIGINT')
  await turn()
  assert.deepEqual(Object.fromEntries(settled), { a: 'interrupted before the confirmation' })
  assert.deepEqual(said, [])
})
