/** Calendar expressions of the backups, as systemd reads them. Needs: systemd. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gatherPreflightFacts } from '../../../scripts/converge/preflight.ts'
import { parseHostSpec } from '../../../scripts/spec/host-spec.ts'
import { factsHere } from '../known-host.ts'
import { text } from '../roles/blank-host.ts'

const waiting = text('scripts/first-boot.sh')

for (const [schedule, problem] of [
  ['*-*-* 03:17:00 UTC', /^$/],
  ['Mon..Fri 22:00', /^$/],
  ['daily at noon', /daily at noon/],
  ['*-*-* 25:00', /25:00/],
  ['2019-01-01', /^it never comes$/],
] as const) {
  test(`the calendar ${schedule}`, async () => {
    const backup = { schedule, keepDaily: 1, keepWeekly: 1, pointInTimeDays: 0 }
    const housekeeping = parseHostSpec({}, 'the test').housekeeping
    const { calendars } = await gatherPreflightFacts(factsHere(), { backup, housekeeping, ingress: 'none' }, waiting)
    assert.match(calendars[0]?.problem ?? 'none', problem)
    assert.deepEqual(calendars[1]?.problem, '')
  })
}
