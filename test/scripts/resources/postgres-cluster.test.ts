/** Data that the wanted PostgreSQL can't open, as rows; and real folders. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Failure } from '../../../scripts/core/failure.ts'
import { madeRecordFact } from '../../../scripts/facts/made-record.ts'
import { contentFact, type PathState, pathFact, targetFact } from '../../../scripts/facts/path.ts'
import { postgresCluster } from '../../../scripts/resources/postgres-cluster.ts'
import { applyHere, factReaderOf, factRow, factsHere, planLines, scratch } from '../known-host.ts'

const path = '/data/cluster'
const marker = '/data-cluster'
const options = { path, marker, reference: 'postgres:16.14-alpine@sha256:0a1b', uid: 70 }
const of = (kind: 'file' | 'directory', uid = 70): PathState => ({
  kind,
  mode: '0700',
  owner: `${uid}`,
  group: `${uid}`,
  uid,
  gid: uid,
  bytes: 3,
})

const rows: readonly Readonly<{
  name: string
  reference?: string
  folder?: PathState
  file?: PathState
  version: string | undefined
  marked?: string
  unit?: string
  current?: string
  settings?: string
  refused?: RegExp
}>[] = [
  { name: 'no cluster', folder: { kind: 'absent' }, file: { kind: 'absent' }, version: undefined },
  {
    name: 'no cluster where there were data',
    folder: { kind: 'absent' },
    file: { kind: 'absent' },
    version: undefined,
    marked: '16\n',
    refused: /is gone: .*was one of PostgreSQL 16; a new one would be empty/,
  },
  {
    name: 'no cluster where somebody has removed the marker',
    folder: { kind: 'absent' },
    file: { kind: 'absent' },
    version: undefined,
    unit: `ExecStartPre=check ${marker}`,
    current: '/opt/tappass/releases/1.0.0-a',
    settings: 'TAPPASS_ENV=production\nDATABASE_URL=postgresql://x\n',
  },
  {
    name: 'no cluster where a release before the marker was in force with one',
    folder: { kind: 'absent' },
    file: { kind: 'absent' },
    version: undefined,
    unit: 'ExecStart=x',
    current: '/opt/tappass/releases/1.0.0-a',
    settings: 'TAPPASS_ENV=production\nDATABASE_URL=postgresql://x\n',
    refused: /is gone: .*release 1\.0\.0-a was in force/,
  },
  {
    name: 'no cluster where the database was elsewhere',
    folder: { kind: 'absent' },
    file: { kind: 'absent' },
    version: undefined,
    unit: 'ExecStart=x',
    current: '/opt/tappass/releases/1.0.0-a',
    settings: 'TAPPASS_ENV=production\n',
  },
  { name: 'its own version', version: '16\n' },
  {
    name: 'an older version',
    version: '15\n',
    refused: /not one of PostgreSQL 16 .*PG_VERSION says "15", and postgres:16\.14-alpine/,
  },
  { name: 'one that is moved', reference: 'postgres:17.1-alpine', version: '16\n' },
  { name: 'one that is moved back', version: '17\n' },
  { name: 'a newer one', version: '18\n', refused: /says "18"/ },
  { name: 'a version that begins alike', version: '160\n', refused: /says "160"/ },
  {
    name: 'the new major of a spec',
    reference: 'registry.example:5000/pg/postgres:18.1',
    version: '16\n',
    refused: /not one of PostgreSQL 18 .*says "16"/,
  },
  { name: 'no version', file: { kind: 'absent' }, version: undefined, refused: /cannot be read/ },
  { name: 'an empty version', version: '', refused: /says ""/ },
  {
    name: 'a folder of another account',
    folder: of('directory', 999),
    version: '16\n',
    refused: /belongs to account 999 .*runs as account 70/,
  },
  { name: 'files of another account', file: of('file', 0), version: '16\n', refused: /belongs to account 0 / },
]

for (const {
  name,
  reference = options.reference,
  folder = of('directory'),
  file = of('file'),
  version,
  marked = version,
  unit,
  current,
  settings,
  refused,
} of rows) {
  test(`postgres cluster: ${name} is ${refused ? 'refused' : 'left alone'}`, async () => {
    const facts = [
      factRow(pathFact(path), folder),
      factRow(pathFact(`${path}/PG_VERSION`), file),
      factRow(contentFact(`${path}/PG_VERSION`), version),
      factRow(contentFact(marker), marked),
      factRow(contentFact('/etc/systemd/system/tappass-postgres.service'), unit),
      factRow(targetFact('/opt/tappass/current'), current),
      factRow(contentFact('/etc/tappass/gateway.env'), settings),
    ]
    const planned = planLines(postgresCluster({ ...options, reference }), facts)
    if (refused === undefined) return assert.deepEqual(await planned, [])
    await assert.rejects(planned, ({ code, text: { what, why } }: Failure) => {
      assert.equal(code, 5)
      assert.match(`${what} ${why}`, refused)
      return true
    })
  })
}

test('postgres cluster: a real folder; that there are data is noted outside of it', async (context) => {
  const folder = join(scratch(context), 'cluster')
  const own = { ...options, path: folder, marker: `${folder}-marker`, uid: userInfo().uid }
  const resource = postgresCluster(own)
  assert.deepEqual(await resource.plan(factsHere()), [])
  mkdirSync(folder)
  writeFileSync(join(folder, 'PG_VERSION'), '16\n')
  assert.equal((await applyHere(resource)).length, 1)
  assert.equal(readFileSync(own.marker, 'utf8'), '16\n')
  writeFileSync(join(folder, 'PG_VERSION'), '15\n')
  await assert.rejects(resource.plan(factsHere()), { code: 5 })
  rmSync(folder, { recursive: true })
  await assert.rejects(resource.plan(factsHere()), { code: 5 })
  const gone = await resource.absent?.(factsHere(), { isWithData: false })
  assert.deepEqual(gone, [])
})

test('postgres cluster: what says that there are data goes with them, and stays with them', async () => {
  const own = postgresCluster({ ...options, marker: '/var/lib/tappass-cluster' })
  const facts = factReaderOf([
    factRow(pathFact('/var/lib/tappass-cluster'), of('file', 0)),
    factRow(madeRecordFact, { has: () => false, all: () => [] }),
  ])
  const [gone] = (await own.absent?.(facts, { isWithData: true })) ?? []
  assert.equal(gone?.action, 'remove /var/lib/tappass-cluster')
  assert.deepEqual(await own.absent?.(facts, { isWithData: false }), [])
})

const CHECK = join(import.meta.dirname, '../../../templates/postgres/check-data.sh')

/** What the unit asks before it starts the server. */
const starts: readonly Readonly<{ name: string; version?: string; marked?: string; says?: RegExp }>[] = [
  { name: 'a new host' },
  { name: 'its own version', version: '16\n', marked: '16\n' },
  { name: 'its own version, not marked yet', version: '16\n' },
  {
    name: 'nothing where there were data',
    marked: '16\n',
    says: /no \S+\/cluster, and there was .* 16\n {2}next: {2}mount/,
  },
  {
    name: 'an older version',
    version: '15\n',
    marked: '15\n',
    says: /is one of PostgreSQL 15, and the image opens 16 only/,
  },
  { name: 'a newer one', version: '17\n', says: /is one of PostgreSQL 17/ },
  { name: 'an empty version', version: '', says: /is one of PostgreSQL nothing/ },
  { name: 'no version', version: 'none', says: /is one of PostgreSQL nothing/ },
]
for (const { name, version, marked, says } of starts) {
  test(`start of PostgreSQL: ${name} is ${says ? 'refused' : 'opened'}`, (context) => {
    const folder = scratch(context)
    if (version !== undefined) mkdirSync(join(folder, 'cluster'))
    if (version !== undefined && version !== 'none') writeFileSync(join(folder, 'cluster/PG_VERSION'), version)
    const file = join(folder, 'marker')
    if (marked !== undefined) writeFileSync(file, marked)
    const { status, stderr } = spawnSync('sh', [CHECK, '16', folder, file], { encoding: 'utf8' })
    assert.deepEqual([status, stderr === ''], says ? [5, false] : [0, true], stderr)
    if (says) assert.match(stderr, says)
  })
}

/** Which of two clusters a start puts in force during a move: `next` names what is moved to. */
const moves: readonly Readonly<{
  name: string
  has: Readonly<Record<string, string>>
  next?: string
  after: readonly string[]
  code: number
}>[] = [
  {
    name: 'the new one, by its unit',
    has: { cluster: '15', 'cluster.16': '16' },
    next: '16',
    after: ['cluster=16', 'cluster.15=15'],
    code: 0,
  },
  {
    name: 'the one before, by its unit',
    has: { cluster: '17', 'cluster.16': '16' },
    next: '17',
    after: ['cluster=16', 'cluster.17=17'],
    code: 0,
  },
  {
    name: 'the one of the unit, after a power cut between the two names',
    has: { 'cluster.15': '15', 'cluster.16': '16' },
    next: '16',
    after: ['cluster=16', 'cluster.15=15'],
    code: 0,
  },
  {
    name: 'the one that is, where nothing has changed yet',
    has: { cluster: '16', 'cluster.17': '17' },
    next: '17',
    after: ['cluster=16', 'cluster.17=17'],
    code: 0,
  },
  {
    name: 'none, where no move is under way: what was kept is older',
    has: { cluster: '17', 'cluster.16': '16' },
    after: ['cluster=17', 'cluster.16=16'],
    code: 5,
  },
  {
    name: 'none, where what was kept is of another version',
    has: { cluster: '17', 'cluster.16': '15' },
    next: '17',
    after: ['cluster=17', 'cluster.16=15'],
    code: 5,
  },
]
for (const { name, has, next, after, code } of moves) {
  test(`start of PostgreSQL during a move: ${name}`, (context) => {
    const folder = scratch(context)
    for (const [each, version] of Object.entries(has)) {
      mkdirSync(join(folder, each))
      writeFileSync(join(folder, each, 'PG_VERSION'), `${version}\n`)
    }
    if (next !== undefined) writeFileSync(join(folder, 'next'), `${next}\n`)
    const { status, stderr } = spawnSync('sh', [CHECK, '16', folder, join(folder, 'marker')], { encoding: 'utf8' })
    assert.equal(status, code, stderr)
    const found = readdirSync(folder)
      .filter((each) => each.startsWith('cluster'))
      .toSorted()
    assert.deepEqual(
      found.map((each) => `${each}=${readFileSync(join(folder, each, 'PG_VERSION'), 'utf8').trim()}`),
      after,
    )
  })
}
