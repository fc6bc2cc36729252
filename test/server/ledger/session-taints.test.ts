/**
 * What taints sessions, over each database: written with the entry that says so, and read by session and agent. Needs: postgres.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { parsePostgresAddress } from '../../../contract/postgres-address.ts'
import { MIGRATION_FOLDER, readMigrationFiles } from '../../../server/adapters/migration-folder.ts'
import { openPglite } from '../../../server/adapters/pglite/pglite.ts'
import { openPostgres } from '../../../server/adapters/postgres.ts'
import { createRandom } from '../../../server/adapters/system.ts'
import type { Entry } from '../../../server/core/entry.ts'
import type { SessionDatabase } from '../../../server/core/ports.ts'
import { createLedger } from '../../../server/ledger/ledger.ts'
import { createSessionTaints } from '../../../server/ledger/session-taints.ts'
import { parseMigrations } from '../../../server/migration/migration.ts'
import { type PostgresServer, startPostgres } from '../../postgres-server.ts'
import { ledgerEntry } from './entry-fixture.ts'

let server: PostgresServer
before(async () => {
  server = await startPostgres()
})
after(() => server.dispose())

const MINUTE = 60_000
const START_MS = Date.UTC(2026, 0, 1)

const DATABASES: readonly (readonly [name: string, open: () => Promise<SessionDatabase>])[] = [
  ['PGlite', () => openPglite({ nowMs: () => START_MS })],
  [
    'PostgreSQL',
    async () =>
      openPostgres({
        kind: 'local',
        address: parsePostgresAddress(server.socketUrl()),
        password: server.password,
        applicationName: 'taints',
        onConnectionLost: () => {},
      }),
  ],
]

for (const [name, open] of DATABASES)
  describe(name, () => {
    let database: SessionDatabase
    let nowMs = START_MS
    const clock = { nowMs: () => nowMs, elapsedMs: () => 0 }
    before(async () => {
      database = await open()
      const { migrations } = parseMigrations(await readMigrationFiles(MIGRATION_FOLDER))
      for (const { sql } of migrations) await database.script(sql)
    })
    after(() => database.close())

    const ledgerOf = (instance: string) => createLedger({ database, instance, clock, random: createRandom() })
    const reader = () => createSessionTaints(database, clock, 30 * MINUTE)

    /** An entry of a call that found `found`. */
    const entry = (sessionId: string | null, found: readonly string[], agent = 'ag_1'): Entry => {
      const taint = found.length > 0 ? { taint: ['earlier', ...found], taint_found: found } : { taint: ['earlier'] }
      return ledgerEntry({ tsMs: nowMs, sessionId, details: { agent_uuid: agent, ...taint } })
    }

    test('what an entry found taints its session; what it repeats of earlier ones does not', async () => {
      const ledger = ledgerOf('1')
      const sessions = reader()
      assert.deepEqual(await sessions.of('ag_1', 'ses_1'), [])
      await ledger.append(entry('ses_1', ['opaque']))
      await ledger.append(entry('ses_1', ['injection']))
      await ledger.append(entry('ses_2', []))
      await ledger.append(entry(null, ['injection']))
      assert.deepEqual(await sessions.of('ag_1', 'ses_1'), ['injection', 'opaque'])
      for (const [agent, session] of [
        ['ag_1', 'ses_2'],
        ['ag_2', 'ses_1'],
        ['ag_1', 'SES_1'],
      ] as const)
        assert.deepEqual(await sessions.of(agent, session), [], `${agent} ${session}`)
      await ledger.close()
    })

    test('it lasts for its time from the last cause, and is removed then', async () => {
      const ledger = ledgerOf('1')
      const sessions = reader()
      await ledger.append(entry('ses_3', ['injection', 'opaque']))
      nowMs += 20 * MINUTE
      await ledger.append(entry('ses_3', ['injection']))
      await ledger.append(entry('ses_3', []))
      nowMs += 20 * MINUTE
      assert.deepEqual(await sessions.of('ag_1', 'ses_3'), ['injection'])
      await sessions.prune()
      const count = async () =>
        (await database.query<{ n: number }>('SELECT count(*)::int4 AS n FROM session_taints'))[0]?.n
      assert.equal(await count(), 1)
      nowMs += 20 * MINUTE
      assert.deepEqual(await sessions.of('ag_1', 'ses_3'), [])
      await sessions.prune()
      assert.equal(await count(), 0)
      await ledger.close()
    })

    test('two processes that write about the same sessions at once both succeed, and many that ask get each their own', async () => {
      const ledgers = [ledgerOf('1'), ledgerOf('2')]
      const names = Array.from({ length: 40 }, (_, index) => `ses_many_${index}`)
      await Promise.all([
        ...names.map((session) => ledgers[0]?.append(entry(session, ['injection']))),
        ...names.toReversed().map((session) => ledgers[1]?.append(entry(session, ['injection', 'opaque']))),
      ])
      const sessions = reader()
      const asked = [...names, ...names.map((session) => `${session}_not`)]
      const told = await Promise.all(asked.map((session) => sessions.of('ag_1', session)))
      assert.deepEqual(
        told,
        asked.map((session) => (session.endsWith('_not') ? [] : ['injection', 'opaque'])),
      )
      await Promise.all(ledgers.map((ledger) => ledger.close()))
    })

    test('where the database can not be asked, nobody is told that a session is clean, and it is asked again', async () => {
      let isLost = true
      const failing = {
        ...database,
        query: (...asked: Parameters<typeof database.query>) =>
          isLost ? Promise.reject(new Error('lost')) : database.query(...asked),
      } as SessionDatabase
      const sessions = createSessionTaints(failing, clock, 30 * MINUTE)
      const asked = await Promise.allSettled([sessions.of('ag_1', 'ses_1'), sessions.of('ag_1', 'ses_2')])
      assert.deepEqual(
        asked.map(({ status }) => status),
        ['rejected', 'rejected'],
      )
      isLost = false
      assert.deepEqual(await sessions.of('ag_1', 'ses_1'), [])
    })
  })
