/** When the data of PostgreSQL are moved to another version, and what is refused before anything, as rows; and a real folder. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Failure } from '../../../scripts/core/failure.ts'
import { contentFact, type PathState, pathFact } from '../../../scripts/facts/path.ts'
import { clusterFact, postgresMove } from '../../../scripts/resources/postgres-move.ts'
import { factRow, factsHere, planLines, scratch, traits } from '../known-host.ts'

const folder = '/data'
const options = {
  ...{ folder, script: '/etc/move.sh', version: '17', image: 'postgres:17', uid: 70 },
  unit: { content: 'ExecStart=x' },
  isFinishing: false,
}
const there: PathState = { kind: 'directory', mode: '0700', owner: '70', group: '70', uid: 70, gid: 70, bytes: 3 }
const absent: PathState = { kind: 'absent' }
const roomy = { usedKilobytes: 1_000_000, freeKilobytes: 2_500_000, kept: [], foreign: [], isAsked: true }

const rows: readonly Readonly<{
  name: string
  version?: string | undefined
  other?: Partial<typeof options>
  cluster?: Partial<Record<keyof typeof roomy, unknown>>
  left?: readonly string[]
  planned?: readonly RegExp[]
  refused?: RegExp
}>[] = [
  { name: 'no data yet', version: undefined },
  { name: 'data of this version', version: '17\n' },
  {
    name: 'data of the version before',
    version: '16\n',
    planned: [
      /^move the database from PostgreSQL 16 to 17, because .*; 977 MB are dumped, .* stay until upgrade --finish$/,
    ],
  },
  { name: 'the way back', version: '17\n', other: { version: '16' }, planned: [/from PostgreSQL 17 to 16/] },
  { name: 'a version that nobody has tried', version: '15\n' },
  {
    name: 'a kilobyte too little room',
    version: '16\n',
    cluster: { freeKilobytes: 2_499_999 },
    refused: /no room .*: 2442 MB are needed beside it, and 2441 are free/,
  },
  { name: 'room that nobody knows', version: '16\n', cluster: { freeKilobytes: Number.NaN }, refused: /nobody knows/ },
  {
    name: 'a role of somebody else',
    version: '16\n',
    cluster: { foreign: ['role eve'] },
    refused: /there is a role eve, which is not ours/,
  },
  { name: 'a server that does not answer', version: '16\n', cluster: { isAsked: false }, refused: /does not answer/ },
  { name: 'what a killed move has left', version: '17\n', left: ['moving'], planned: [/^clear up after a move/] },
  { name: 'a mark that a killed move has left', version: '17\n', left: ['next'], planned: [/^clear up after a move/] },
  { name: 'data that are kept', version: '17\n', cluster: { kept: ['16'] } },
  {
    name: 'data that are kept, and the word for it',
    version: '17\n',
    other: { isFinishing: true },
    cluster: { kept: ['16', '../../etc'] },
    planned: [/^remove \/data\/cluster\.16, because .*is accepted$/],
  },
]

for (const { name, version, other = {}, cluster = {}, left = [], planned = [], refused } of rows) {
  test(`move of the data: ${name}${refused ? ' is refused' : ''}`, async () => {
    const facts = [
      traits(),
      factRow(contentFact(`${folder}/cluster/PG_VERSION`), version),
      factRow(clusterFact(folder), { ...roomy, ...cluster } as typeof roomy),
      ...['moving', 'next'].map((each) => factRow(pathFact(`${folder}/${each}`), left.includes(each) ? there : absent)),
    ]
    const lines = planLines(postgresMove({ ...options, ...other }), facts)
    if (refused === undefined) {
      const found = await lines
      assert.equal(found.length, planned.length, found.join('\n'))
      for (const [index, pattern] of planned.entries()) assert.match(found[index] ?? '', pattern)
      return
    }
    await assert.rejects(lines, ({ code, text: { what, why } }: Failure) => {
      assert.equal(code, 5)
      assert.match(`${what}: ${why}`, refused)
      return true
    })
  })
}

test('move of the data: what a real folder says; without a server nothing of it is known', async (context) => {
  const real = scratch(context)
  for (const [name, version] of [
    ['cluster', '17'],
    ['cluster.16', '16'],
  ] as const) {
    mkdirSync(join(real, name))
    writeFileSync(join(real, name, 'PG_VERSION'), `${version}\n`)
  }
  const { usedKilobytes, freeKilobytes, kept, isAsked } = await factsHere()(clusterFact(real))
  assert.ok(usedKilobytes > 0 && freeKilobytes > 0)
  assert.deepEqual([kept, isAsked], [['16'], false])
})
