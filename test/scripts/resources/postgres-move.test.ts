/** When the data of PostgreSQL are moved to another version, and what is refused before anything, as rows; and a real folder. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { delimiter, join } from 'node:path'
import { type TestContext, test } from 'node:test'
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

const TEMPLATES = join(import.meta.dirname, '../../../templates/postgres')

/** Docker's client: what each question is answered with, and what is made. `$ROOT` is the host; a move that is to be killed at a command dies with it. */
const DOCKER = `#!/bin/sh
echo "docker $*" >>"$ROOT/calls"
[ -z "$KILL_AT" ] || case "docker $*" in *"$KILL_AT"*) kill -9 $PPID ;; esac
case "$*" in
  run*) mkdir -p "$ROOT/data/moving/cluster"; echo 17 >"$ROOT/data/moving/cluster/PG_VERSION" ;;
  wait*) echo "$ENDED" ;;
  *'SELECT datname'*) printf 'tappass\\ntappass_kept\\n' ;;
  *--schema-only*next*) echo "$SCHEMA" ;;
  *--schema-only*) echo 'CREATE TABLE t' ;;
  *--command*|*--file*|*pg_isready*|*pg_restore*) ;;
  *tappass-postgres-next*psql*) echo "$ROWS" ;;
  *psql*) echo 'public.t|3|12345' ;;
esac
`

/** Starts the server as its unit does: with the check of the data, by the version that the unit names. */
const SYSTEMCTL = `#!/bin/sh
echo "systemctl $*" >>"$ROOT/calls"
[ -z "$KILL_AT" ] || case "systemctl $*" in *"$KILL_AT"*) kill -9 $PPID ;; esac
[ "$*" = 'start tappass-postgres' ] || exit 0
version=$(cat "$ROOT/unit")
[ "$version" != "$BROKEN" ] || { sh "${TEMPLATES}/check-data.sh" "$version" "$ROOT/data" "$ROOT/marker"; exit 1; }
exec sh "${TEMPLATES}/check-data.sh" "$version" "$ROOT/data" "$ROOT/marker"
`

/** A host with data of 16, and the script for it. */
function layHost(context: TestContext) {
  const root = scratch(context)
  for (const name of ['data/cluster', 'bin', 'run']) mkdirSync(join(root, name), { recursive: true })
  writeFileSync(join(root, 'data/cluster/PG_VERSION'), '16\n')
  writeFileSync(join(root, 'data/unit.next'), '17\n')
  writeFileSync(join(root, 'unit'), '16\n')
  for (const [name, text] of Object.entries({ docker: DOCKER, systemctl: SYSTEMCTL, curl: '#!/bin/sh\n' }))
    writeFileSync(join(root, 'bin', name), text, { mode: 0o755 })
  const script = readFileSync(join(TEMPLATES, 'move-data.sh'), 'utf8')
    .replaceAll('/var/lib/tappass/postgres', join(root, 'data'))
    .replaceAll('/var/lib/tappass/backup', join(root, 'backup'))
    .replaceAll('/run/tappass/postgres', join(root, 'run'))
    .replaceAll('/etc/systemd/system/tappass-postgres.service', join(root, 'unit'))
  writeFileSync(join(root, 'move.sh'), script)
  const run = (settings: Readonly<Record<string, string>>, ...words: readonly string[]) => {
    const PATH = [join(root, 'bin'), process.env['PATH']].join(delimiter)
    const answers = { ENDED: '0', SCHEMA: 'CREATE TABLE t', ROWS: 'public.t|3|12345', KILL_AT: '', BROKEN: '' }
    const env = { ...answers, ...settings, ROOT: root, PATH }
    return spawnSync('sh', [join(root, 'move.sh'), ...words], { env, encoding: 'utf8' })
  }
  const clusters = () =>
    readdirSync(join(root, 'data')).map(
      (name) => `${name}=${readFileSync(join(root, 'data', name, 'PG_VERSION'), 'utf8').trim()}`,
    )
  return { root, run, clusters, unit: () => readFileSync(join(root, 'unit'), 'utf8').trim() }
}

const ARGUMENTS = ['16', '17', 'postgres:17', String(userInfo().uid)]
const BEFORE = ['cluster=16']
const MOVED = ['cluster=17', 'cluster.16=16']

/** How a move ends; `says` is its reason. After each the unit of the move clears up, as systemd has it do. */
const ends: readonly Readonly<{
  name: string
  answers?: Readonly<Record<string, string>>
  says?: RegExp
  has: readonly string[]
}>[] = [
  { name: 'every row is there', has: MOVED },
  {
    name: 'a row is missing',
    answers: { ROWS: 'public.t|2|12' },
    says: /tappass has other rows than before: .*public\.t\|3/s,
    has: BEFORE,
  },
  { name: 'a row is another one', answers: { ROWS: 'public.t|3|12346' }, says: /has other rows/, has: BEFORE },
  { name: 'a trigger is missing', answers: { SCHEMA: '' }, says: /has another schema than before/, has: BEFORE },
  { name: 'the new server has crashed at its end', answers: { ENDED: '137' }, says: /not ended in order/, has: BEFORE },
  {
    name: 'the new server does not start as a unit',
    answers: { BROKEN: '17' },
    says: /does not start on them/,
    has: BEFORE,
  },
  ...['docker run', 'pg_restore', 'docker stop', 'systemctl stop tappass-postgres'].map((KILL_AT) => ({
    ...{ name: `killed at ${KILL_AT}`, answers: { KILL_AT }, has: BEFORE },
  })),
  {
    name: 'killed as the unit of the new version is there',
    answers: { KILL_AT: 'systemctl daemon-reload' },
    has: MOVED,
  },
  { name: 'killed as the gateway is started', answers: { KILL_AT: 'systemctl start tappass.target' }, has: MOVED },
]

for (const { name, answers = {}, says, has } of ends) {
  test(`move of the data: ${name}`, (context) => {
    const { root, run, clusters, unit } = layHost(context)
    const { status, signal, stderr } = run(answers, ...ARGUMENTS)
    const isKilled = 'KILL_AT' in answers
    assert.deepEqual([status, signal], isKilled ? [null, 'SIGKILL'] : [says === undefined ? 0 : 1, null], stderr)
    if (says !== undefined) assert.match(stderr, says)
    assert.equal(run({}, 'settle').status, 0)
    assert.deepEqual(clusters().toSorted(), has.toSorted())
    assert.equal(unit(), has.includes('cluster=17') ? '17' : '16')
    assert.ok(!existsSync(join(root, 'run/next')))
    const calls = readFileSync(join(root, 'calls'), 'utf8').trim().split('\n')
    assert.equal(calls.at(-1), 'systemctl start tappass.target')
  })
}
