/** An inspection while cloud-init is at work: waited for once, and what it ended with is told. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspectHost } from '../../../scripts/converge/host-inspection.ts'
import type { Connection, Fact, GetFact } from '../../../scripts/core/host.ts'
import { type FirstBoot, firstBootEndFact, firstBootFact } from '../../../scripts/facts/first-boot.ts'
import type { Event } from '../../../scripts/output/event.ts'
import { blank, specOf, systems } from '../roles/blank-host.ts'

const isSame = (fact: Fact<unknown>, other: Fact<unknown>) => fact.query.argv[2] === other.query.argv[2]

/** What the host says at each inspection, and how often its end was waited for. */
async function inspect(answers: readonly FirstBoot[]) {
  const [events, left]: [Event[], FirstBoot[]] = [[], [...answers]]
  let waits = 0
  const getFact: GetFact = async (fact) => {
    if (isSame(fact, firstBootEndFact('x'))) waits += 1
    const isAsked = isSame(fact, firstBootFact('x'))
    const { state, problem } = (isAsked ? left.shift() : undefined) ?? { state: '', problem: '' }
    if (isAsked) return fact.parse({ code: 0, stdout: `${state}\n${problem}`, stderr: '' })
    return await blank(systems[0])(fact)
  }
  const connection = {} as Connection
  const host = { connection, freshFacts: () => getFact, emit: (event: Event) => void events.push(event) }
  const inspection = await inspectHost(host, [], specOf(), { nowMs: () => 0, waiting: 'x' })
  const told = events.flatMap((event) => (event.event === 'warning' ? [event.warning.what] : []))
  const reasons = inspection.status === 'refused' ? inspection.reasons.map(({ what }) => what) : []
  return { waits, told, isRefusedForIt: reasons.includes('cloud-init is still running after 10 minutes') }
}

const at = (state: string, problem = ''): FirstBoot => ({ state, problem })
const [busy, failed] = ['cloud-init is still setting up this host', 'cloud-init ended with an error']

const rows = [
  { name: 'not there', answers: [at('')], waits: 0, told: [], isRefusedForIt: false },
  { name: 'done', answers: [at('done')], waits: 0, told: [], isRefusedForIt: false },
  { name: 'failed', answers: [at('error', 'no network')], waits: 0, told: [failed], isRefusedForIt: false },
  { name: 'running, then done', answers: [at('running'), at('done')], waits: 1, told: [busy], isRefusedForIt: false },
  {
    name: 'running, then failed',
    answers: [at('running'), at('error')],
    waits: 1,
    told: [busy, failed],
    isRefusedForIt: false,
  },
  { name: 'it does not end', answers: [at('running'), at('running')], waits: 1, told: [busy], isRefusedForIt: true },
]

for (const { name, answers, ...expected } of rows) {
  test(`inspection: cloud-init: ${name}`, async () => assert.deepEqual(await inspect(answers), expected))
}
