/**
 * Releases come and go under load, and no call fails: a good one, each kind of bad one, the way back, and those that are refused before anything. One
 * machine for all; releases are copies of this clone with small edits. The load ends with the command, and every row asserts how it went. Needs: openssl. Takes 9 minutes.
 */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { cloneWith, editFile } from './clone.ts'
import { demand } from './execution.ts'
import { load } from './load.ts'
import { reboot } from './machine.ts'
import {
  bootstrappedServer,
  type Door,
  door,
  eventsOf,
  inside,
  machineWords,
  mainPids,
  repository,
  type Server,
  toolkit,
  untilHealthy,
} from './server.ts'

let server: Server
let through: Door
let key: string

before(async () => {
  server = await bootstrappedServer('proof-upgrade', { tree: 'docker' })
  through = await door(server)
  key = (await through.agent('upgrade')).key
})
after(async () => {
  await through?.close()
  await server?.close()
})

/** Rounds multiply the calls that every row waits for at least; full rounds have 10,000. */
const rounds = Number(process.env['TAPPASS_TEST_ROUNDS'] ?? 1)
const callsMin = Math.min(10_000, 40 * rounds)

/** Another release, made of this clone. A line in LICENSE makes each of them one of its own. */
const releaseWith = (name: string, change: (root: string) => Promise<unknown>): Promise<string> =>
  cloneWith(server.folder, name.replaceAll(' ', '-'), async (root) => {
    await editFile(join(root, 'LICENSE'), 'Apache License', `Apache License, ${name}`)
    await change(root)
  })

type Run = Readonly<{ code: number; text: string; failures: readonly string[]; answered: number; streamed: number }>

/** Runs the command from a clone under load. */
const underLoad = async (root: string, ...words: readonly string[]): Promise<Run> => {
  let isOver = false
  const loading = load(through, key, 4, ({ sent }) => isOver && sent >= callsMin)
  const output = await toolkit([...words, ...machineWords(server), '--json'], 600_000, root).finally(() => {
    isOver = true
  })
  const { failures, acknowledged, streamed } = await loading
  const reasons = eventsOf(output).flatMap((event): readonly unknown[] => {
    if (event.event === 'refused') return event.reasons
    return event.event === 'step-failed' || event.event === 'error' ? [event.failure] : []
  })
  const text = `${JSON.stringify(reasons)}\n${output.stderr}`
  return { code: output.code, text, failures, answered: acknowledged.length, streamed }
}

const assertNoneFailed = ({ failures, answered, streamed }: Run): void => {
  assert.deepEqual(failures, [])
  assert.ok(answered >= callsMin && streamed > 0, `${answered} calls, ${streamed} streams`)
}

/** What a reboot starts, and what people see of it. */
const inForce = (): Promise<string> =>
  inside(
    server,
    `readlink /opt/tappass/current; cd /etc/systemd/system; ls -d tappass@*; sha256sum tappass@.service tappass-migrate.service /etc/tappass/gateway.env
     ls /etc/tappass /run/systemd/system | grep -e next || true`,
  )

/** The newest backup; one a day is kept, so that their number says nothing. */
/** The newest that counts: restored as a proof. */
const lastBackup = (): Promise<string> =>
  inside(server, 'ls -d /var/lib/tappass/backup/tappass-*/verified.json 2>/dev/null | tail -n 1')

const releases = async () => {
  const output = await toolkit(['releases', ...machineWords(server), '--json'], 60_000)
  assert.equal(output.code, 0, output.stderr)
  return eventsOf(output).flatMap((event) => (event.event === 'releases' ? event.releases : []))
}

const query = (sql: string): Promise<string> =>
  inside(
    server,
    `docker exec tappass-postgres psql --host /tappass/run --username postgres --dbname tappass --tuples-only --no-align --command "${sql}"`,
  )

test('releases: the one in force, who runs it, and by whom it was accepted', async () => {
  const [only, ...others] = await releases()
  assert.deepEqual([only?.isCurrent, only?.instances, others], [true, ['tappass@1', 'tappass@2'], []])
  assert.match(only?.accepted?.by ?? '', /@/)
})

test('each instance made a governed call before it served: in the ledger as a probe, and no provider saw it', async () => {
  const probes = await query(
    "SELECT count(DISTINCT request_id), min(model) FROM audit_events WHERE agent_id = '_probe'",
  )
  assert.match(probes, /^[2-9]\|echo$/)
})

/** What the process of a gateway does: at its start, or a moment after it has begun to serve. */
const main = (from: string, to: string) => (root: string) => editFile(join(root, 'server/main.ts'), from, to)
const atStart = main(
  'async function start(): Promise<Running> {\n',
  "async function start(): Promise<Running> {\n  process.kill(process.pid, 'SIGKILL')\n",
)
const soon = (code: string) =>
  main('const running = await start()\n', `const running = await start()\n  setTimeout(() => { ${code} }, 3000)\n`)

/** The exit code is 1 where the run ended before an instance was moved, and 3 where those that were moved went back. */
const rows = [
  {
    name: 'a migration that fails',
    change: (root: string) =>
      writeFile(
        join(root, 'migrations/016_lab.sql'),
        '-- tappass: phase=expand\nCREATE TABLE lab (x int); SELECT 1 / 0;\n',
      ),
    code: 1,
    text: /016_lab\.sql.*division by zero/,
  },
  {
    name: 'a policy that does not load',
    change: (root: string) => writeFile(join(root, 'server/policy/policy.wasm'), 'no policy'),
    code: 1,
    text: /does not pass its own check of its policy/,
  },
  {
    name: 'a process that dies',
    change: atStart,
    code: 3,
    text: /tappass@1\.service is not well/,
    isSecondMoved: false,
  },
  {
    name: 'a process that ends while it is watched',
    change: soon("process.kill(process.pid, 'SIGTERM')"),
    code: 3,
    text: /did not stand its time: its process ended/,
  },
  {
    name: 'READY and then unhealthy',
    change: async (root: string) => {
      const file = join(root, 'server/http/own-request.ts')
      await editFile(file, '.statusCode\n', '.statusCode * 0 + (process.lab() > 8 ? 503 : 200)\n')
      await editFile(
        join(root, 'server/main.ts'),
        'async function start()',
        'let asked = 0\nObject.assign(process, { lab: () => (asked += 1) })\nasync function start()',
      )
    },
    code: 3,
    text: /did not stand its time: unhealthy: health/,
  },
  {
    name: 'a leak of memory',
    change: soon(
      'const kept = []; setInterval(() => { if (kept.length < 60) kept.push(Buffer.alloc(10_000_000, 1)) }, 150)',
    ),
    code: 3,
    text: /did not stand its time: its memory grew by \d+ MB/,
  },
] as const

for (const row of rows) {
  test(`${row.name}: exit ${row.code}, no call fails, and what is in force stays`, async () => {
    const before = { pids: await mainPids(server), inForce: await inForce() }
    const backup = await lastBackup()
    const run = await underLoad(await releaseWith(row.name, row.change), 'upgrade', '--yes', '--soak', '25s')
    assert.equal((await lastBackup()) !== backup, row.name === 'a migration that fails')
    assert.equal(run.code, row.code, run.text)
    assert.match(run.text, row.text)
    assertNoneFailed(run)
    const pids = await mainPids(server)
    const moved = ['tappass@1', 'tappass@2'].filter((unit) => pids[unit] !== before.pids[unit])
    assert.equal(moved.length, row.code === 1 ? 0 : 'isSecondMoved' in row ? 1 : 2)
    assert.equal(await inForce(), before.inForce)
  })
}

/** The good release: two migrations before it, one that waits until it is accepted. */
const growing = async (root: string): Promise<void> => {
  const migrations = {
    '016_lab': '-- tappass: phase=expand\nCREATE TABLE lab_one (x int);\n',
    '017_lab':
      '-- tappass: phase=expand, concurrent\nCREATE INDEX CONCURRENTLY IF NOT EXISTS lab_idx ON audit_events (model);\n',
    '018_lab': '-- tappass: phase=contract\nDROP TABLE lab_one;\n',
  }
  for (const [name, sql] of Object.entries(migrations)) await writeFile(join(root, `migrations/${name}.sql`), sql)
}

/** The first and the good release, by their versions. */
let [first, good] = ['', '']
/** The good one as a file. */
let file = ''

/** A key pair of Ed25519 as OpenSSL makes it; gives the files of the private and of the public half. */
const makeKey = async (name: string): Promise<readonly [string, string]> => {
  const [key, publicKey] = ['pem', 'pub.pem'].map((ending) => join(server.folder, `${name}.${ending}`)) as [
    string,
    string,
  ]
  await demand(['openssl', 'genpkey', '-algorithm', 'ed25519', '-out', key])
  await demand(['openssl', 'pkey', '-in', key, '-pubout', '-out', publicKey])
  return [key, publicKey]
}
/** The public half of the key that signs the good one. */
let publicKey = ''

test('a damaged archive, another digest, another key: exit 5, and nothing is changed', async () => {
  file = join(server.folder, 'release.tappass')
  const [key, ownPublicKey] = await makeKey('own')
  const [, otherPublicKey] = await makeKey('other')
  publicKey = ownPublicKey
  const packed = await toolkit(
    ['releases', '--pack', file, '--key', key, '--json'],
    60_000,
    await releaseWith('good', growing),
  )
  assert.equal(packed.code, 0, packed.stderr)
  ;({ version: good } = JSON.parse(packed.stdout) as { version: string })
  const damaged = join(server.folder, 'damaged.tappass')
  const bytes = await readFile(file)
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
  await writeFile(damaged, bytes)
  const words = ['upgrade', ...machineWords(server), '--yes']
  const before = await inForce()
  for (const wrong of [
    ['--archive', damaged],
    ['--archive', file, '--digest', '0'.repeat(64)],
    ['--archive', file, '--archive-key', otherPublicKey],
  ])
    assert.equal((await toolkit([...words, ...wrong], 60_000)).code, 5, wrong.join(' '))
  assert.equal(await inForce(), before)
})

test('a good release from its archive: the plan says what it does, no call fails, its contract migration waits', async () => {
  first = (await releases()).find(({ isCurrent }) => isCurrent)?.version ?? ''
  const words = ['upgrade', '--archive', file, '--archive-key', publicKey, '--soak', '6s']
  const plan = await toolkit([...words, ...machineWords(server), '--plan-only', '--json'], 60_000)
  assert.equal(plan.code, 2, plan.stderr)
  const [move] = eventsOf(plan).filter((event) => event.event === 'release-move')
  assert.deepEqual(
    [move?.path, move?.migrations.map(({ phase }) => phase), move?.waiting.length, move?.isReturnPossible],
    [[first, good], ['expand', 'expand'], 1, true],
  )
  const run = await underLoad(repository, ...words, '--yes')
  assert.equal(run.code, 0, run.text)
  assertNoneFailed(run)
  const [current, before] = await releases()
  assert.deepEqual([current?.version, current?.instances.length, before?.version], [good, 2, first])
  assert.equal(
    await query("SELECT string_agg(version || coalesce(phase, ''), ' ') FROM schema_migrations WHERE version > 15"),
    '16expand 17expand',
  )
})

test('the way back to the release before, beside the new schema: no call fails', async () => {
  const run = await underLoad(repository, 'rollback', '--yes', '--soak', '4s')
  assert.equal(run.code, 0, run.text)
  assertNoneFailed(run)
  assert.equal((await releases())[0]?.version, first)
  const words = ['history', ...machineWords(server), '--json']
  const [history] = eventsOf(await toolkit(words, 60_000)).filter((event) => event.event === 'history')
  const { verb, operator } = history?.generations.at(-1)?.begun ?? {}
  assert.equal(verb, 'rollback')
  assert.match(operator ?? '', /@/)
})

test('a run of the other release is restored by the toolkit of that one, and a run of this one by this one', async () => {
  const [history] = eventsOf(await toolkit(['history', ...machineWords(server), '--json'], 60_000)).filter(
    (event) => event.event === 'history',
  )
  const numberOf = (release: string) =>
    history?.generations.findLast(
      ({ begun, end }) => begun.release === release && end?.kind === 'ended' && end.outcome === 'up-to-date',
    )?.number ?? 0
  for (const release of [good, first]) {
    const words = ['at', `${numberOf(release)}`, '--restore', ...machineWords(server), '--json']
    const planned = await toolkit([...words, '--plan-only'], 60_000)
    assert.equal(planned.code, 2, planned.stdout + planned.stderr)
    const run = await toolkit([...words, '--yes'])
    assert.equal(run.code, 0, run.stdout.slice(-3000) + run.stderr)
    assert.equal((await releases())[0]?.version, release)
  }
  await untilHealthy(server)
})

test('forward again to the one that is on the host; then its contract migration, and there is no way back', async () => {
  const run = await underLoad(repository, 'upgrade', '--to', good, '--yes', '--soak', '0s')
  assert.equal(run.code, 0, run.text)
  assertNoneFailed(run)
  const finish = await underLoad(repository, 'upgrade', '--to', good, '--finish', '--yes')
  assert.equal(finish.code, 0, finish.text)
  assertNoneFailed(finish)
  assert.equal(await query("SELECT max(version) FROM schema_migrations WHERE phase = 'contract'"), '18')
  const before = await inForce()
  for (const words of [
    ['rollback', '--yes'],
    ['upgrade', '--yes'],
    ['rollback', '--to', 'nowhere', '--yes'],
  ]) {
    const refused = await toolkit([...words, ...machineWords(server), '--json'], 60_000)
    assert.equal(refused.code, 5, `${words}: ${refused.stdout}${refused.stderr}`)
  }
  const [, old] = await releases()
  assert.match(old?.obstacle ?? '', /018_lab\.sql, which this release does not know/)
  assert.equal(await inForce(), before)
})

test('a jump over a stop of the ladder: exit 5, and the path is told', async () => {
  const clone = await releaseWith('jump', async (root) => {
    await growing(root)
    await editFile(join(root, 'package.json'), '"version": "', '"version": "99')
    await editFile(join(root, 'upgrades.yaml'), 'stops: []', 'stops: [{ version: 50.0.0, reason: moves the salts }]')
  })
  const before = await inForce()
  const refused = await toolkit(['upgrade', ...machineWords(server), '--yes', '--json'], 60_000, clone)
  assert.equal(refused.code, 5, refused.stdout)
  assert.match(refused.stdout, /moves the salts; the path is \S+ -> 50\.0\.0 -> 99/)
  assert.equal(await inForce(), before)
})

test('a reboot starts what is in force, and every call is answered', async () => {
  await reboot(server.machine.name)
  await untilHealthy(server)
  assert.deepEqual((await load(through, key, 4, ({ sent }) => sent >= 40)).failures, [])
  assert.deepEqual((await releases())[0]?.instances, ['tappass@1', 'tappass@2'])
})
