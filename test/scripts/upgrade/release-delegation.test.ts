/** A run of another release is restored by the toolkit of that release on the host: planned there, asked for here, done there; and what is refused before. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Invocation } from '../../../scripts/command-line/invocation.ts'
import { schemaStatusFact } from '../../../scripts/control/schema-status.ts'
import type { Failure } from '../../../scripts/core/failure.ts'
import type { Runner } from '../../../scripts/core/host.ts'
import { historyFact } from '../../../scripts/history/history-fact.ts'
import type { Event } from '../../../scripts/output/event.ts'
import type { HostSession } from '../../../scripts/session/host-session.ts'
import { installedReleasesFact } from '../../../scripts/upgrade/installed-release.ts'
import { restoreByInstalled } from '../../../scripts/upgrade/release-delegation.ts'
import { factReaderOf, factRow } from '../known-host.ts'

const release = (version: string) => ({ version, newestMigration: '002_b.sql', hasUpgrade: true })
const line = (event: object) => JSON.stringify({ v: 3, at: '2026-11-27T10:00:00Z', host: 'this host', ...event })
const WARNING = { event: 'warning', warning: { what: 'secrets stay' } }
const finished = (outcome: string, exitCode: number, applied = 0) =>
  line({ event: 'run-finished', outcome, exitCode, applied, remaining: 1, ms: 1, roundTrips: 1 })
const change = { resource: 'file:/x', action: 'write /x', reason: 'its content differs', role: 'gateway', step: 1 }

type Row = Readonly<{
  name: string
  options?: Invocation['options']
  problems?: readonly Readonly<{ message: string; next: string }>[]
  /** What the toolkit there prints for its plan. */
  planned?: readonly string[]
  isAgreed?: boolean
  outcome?: string
  refused?: RegExp
  /** The commands that were run there, by their last word, and the events that were shown. */
  ran: readonly string[]
  shown?: readonly string[]
}>

const PLAN = [line(WARNING), line({ event: 'plan', resources: 9, changes: [change] }), finished('pending', 2)]
const rows: readonly Row[] = [
  {
    name: 'agreed to',
    isAgreed: true,
    outcome: 'up-to-date',
    ran: ['--plan-only', '--yes'],
    shown: ['warning', 'plan', 'step-started'],
  },
  { name: 'not agreed to', outcome: 'declined', ran: ['--plan-only'], shown: ['warning', 'plan'] },
  {
    name: 'only the plan is wanted',
    options: { 'plan-only': true },
    isAgreed: true,
    outcome: 'pending',
    ran: ['--plan-only'],
    shown: ['warning', 'plan'],
  },
  {
    name: 'there is nothing to change',
    planned: [finished('up-to-date', 0)],
    isAgreed: true,
    outcome: 'up-to-date',
    ran: ['--plan-only'],
    shown: [],
  },
  {
    name: 'a release that the schema has left behind',
    problems: [{ message: 'the database has 003_c.sql', next: 'restore a backup' }],
    refused: /can't be brought to release 1\.0\.0-a[\s\S]*003_c\.sql/,
    ran: [],
  },
  {
    name: 'a release whose toolkit does not know how',
    planned: ['tappass: "at" has no option "--plan-only"'],
    refused:
      /toolkit of release 1\.0\.0-a did not do it[\s\S]*no option[\s\S]*sudo \/opt\/tappass\/releases\/1\.0\.0-a\/tappass at 7 --restore /,
    ran: ['--plan-only'],
  },
]

for (const {
  name,
  options = {},
  problems = [],
  planned = PLAN,
  isAgreed = false,
  outcome,
  refused,
  ran,
  shown,
} of rows)
  test(`a run of another release: ${name}`, async () => {
    const commands: (readonly string[])[] = []
    const events: string[] = []
    const run: Runner = async ({ argv }, onLine) => {
      commands.push(argv)
      const done = [line(WARNING), line({ event: 'plan', resources: 9, changes: [change] })]
      const isPlan = argv.at(-1) === '--plan-only'
      const lines = isPlan ? planned : [...done, line({ event: 'step-started', step: 1 }), finished('up-to-date', 0, 1)]
      for (const text of lines) onLine?.(text)
      // Of what it does not understand it tells in no event.
      return { code: lines.some((text) => text.startsWith('{')) ? 0 : 64, stdout: '', stderr: '' }
    }
    const facts = factReaderOf([
      factRow(installedReleasesFact, {
        ...{ releases: [release('1.0.0-a'), release('2.0.0-b')], current: '2.0.0-b', instances: [] },
      }),
      factRow(historyFact, { files: [], content: new Set() } as never),
      factRow(schemaStatusFact('/opt/tappass/releases/1.0.0-a'), { applied: [], pending: [], problems }),
    ])
    const host = {
      ...{ run, freshFacts: () => facts, confirm: async () => isAgreed },
      target: { name: 'root@gw', address: undefined, config: undefined },
      emit: ({ event }: Event) => events.push(event),
    } as unknown as HostSession
    const invocation = {
      ...{ options, operands: ['7'], verb: { name: 'at' }, root: '/clone', program: 'tappass' },
      interrupt: new AbortController().signal,
    } as unknown as Invocation
    const restoring = restoreByInstalled(invocation, host, { release: '1.0.0-a', number: 7 })
    if (refused === undefined) {
      assert.equal((await restoring).outcome, outcome)
      assert.deepEqual(events, shown)
    } else
      await assert.rejects(restoring, ({ code, text: { what, why, next } }: Failure) => {
        assert.equal(code, 5)
        assert.match([what, why, next].join('\n'), refused)
        return true
      })
    assert.deepEqual(
      commands.map((argv) => argv.at(-1)),
      ran,
    )
    for (const argv of commands) {
      const words = argv.join(' ')
      assert.match(
        words,
        /^env TAPPASS_OPERATOR=\S+ \/opt\/tappass\/releases\/1\.0\.0-a\/tappass at 7 --restore --json/,
      )
    }
  })
