/** Which secrets of external storage fit which settings; what is given is looked at, what is not is not. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Dial } from '../../../scripts/storage/finding.ts'
import { checkStorage } from '../../../scripts/storage/storage-check.ts'

const versions = readFileSync(join(import.meta.dirname, '../../../versions.yaml'), 'utf8')
const TEXTS: Readonly<Record<string, string>> = {
  'database-url': `postgresql://serving:${'s'.repeat(8)}@db.example/d`,
  'database-owner-url': `postgresql://owning:${'o'.repeat(8)}@db.example:6000/d`,
  'redis-url': `rediss://:${'r'.repeat(8)}@redis.example`,
}

const rows: readonly Readonly<{
  name: string
  storage?: Readonly<{ database: 'container' | 'external'; redis: 'container' | 'external' }>
  given: readonly string[]
  dialled?: readonly string[]
  what?: readonly RegExp[]
}>[] = [
  { name: 'nothing given', storage: { database: 'external', redis: 'external' }, given: [] },
  {
    name: 'all given: each is tried from the host',
    storage: { database: 'external', redis: 'external' },
    given: ['database-url', 'database-owner-url', 'redis-url'],
    dialled: ['db.example 5432', 'db.example 6000', 'redis.example 6379'],
    what: [/database cannot be reached/, /database cannot be reached/, /Redis cannot be reached/],
  },
  {
    name: 'the setting was forgotten',
    given: ['database-url'],
    what: [/the secret database-url is given, and storage\.database is container/],
  },
  {
    name: 'the other one is external',
    storage: { database: 'external', redis: 'container' },
    given: ['database-url', 'redis-url'],
    what: [/the secret redis-url is given, and storage\.redis is container/],
  },
  {
    name: 'the owner alone',
    storage: { database: 'external', redis: 'container' },
    given: ['database-owner-url'],
    what: [/database-owner-url is given without database-url/],
  },
]
for (const { name, storage, given, dialled = [], what = [] } of rows)
  test(`storage: ${name}`, async () => {
    const asked: string[] = []
    const dial: Dial = async (host, port) => {
      asked.push(`${host} ${port}`)
      throw new Error('no way there')
    }
    const secrets = Object.fromEntries(
      given.map((id) => [id, { sha256: '', readValue: () => TEXTS[id] ?? '' }] as const),
    )
    const { refusals } = await checkStorage(dial, { storage, secrets }, versions)
    assert.deepEqual(asked.toSorted(), [...dialled])
    assert.equal(refusals.length, what.length)
    for (const [index, expected] of what.entries()) assert.match(refusals[index]?.what ?? '', expected)
  })
