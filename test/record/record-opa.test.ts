/** The requests of the record with a real OPA server that decides: each is answered and recorded as with the policy in the process. Needs: opa. On one Node: the one of servers. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type OpaProcess, startOpa } from '../../bench/opa-process.ts'
import type { Recorded } from './comparable.ts'
import { replay } from './replay.ts'
import { GROUPS, placeOf } from './requests.ts'

type Judged = Readonly<Record<string, Pick<Recorded, 'status' | 'body' | 'sent' | 'ledger'>>>

const recorded = JSON.parse(readFileSync(join(import.meta.dirname, 'record.json'), 'utf8')) as Judged
/** The one with a model server, which has nearly all of them. */
const [group] = GROUPS
let opa: OpaProcess
let replayed: ReadonlyMap<string, Recorded> = new Map()

before(async () => {
  assert.ok(group)
  opa = await startOpa()
  replayed = await replay({ ...group, environment: { ...group.environment, OPA_URL: opa.url } })
})
after(() => opa?.close())

const places = (group?.phases.flat() ?? []).map(({ what }) => placeOf(group?.name ?? '', what))

/** What the process says of itself is not a verdict. */
const withoutEngine = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value ?? null).replaceAll('"policyEngine":"opa"', '"policyEngine":"embedded"'))

describe('answered, sent and recorded as with the policy in the process', () => {
  for (const place of places) {
    test(place, () => {
      const { status, body, sent, ledger } = replayed.get(place) ?? {}
      const { [place]: expected } = recorded
      const wanted = { status: expected?.status, body: expected?.body, sent: expected?.sent, ledger: expected?.ledger }
      assert.deepEqual(withoutEngine({ status, body, sent, ledger }), withoutEngine(wanted))
    })
  }
})

test('OPA decided: its log has a decision for each request at least that has one in the ledger', () => {
  const decisions = opa
    .log()
    .split('\n')
    .filter((line) => line.includes('"Decision Log"')).length
  const judged = [...replayed.values()].filter(({ ledger }) => JSON.stringify(ledger).includes('govern_')).length
  assert.ok(judged > 100 && decisions >= judged, `${decisions} ${judged}`)
})
