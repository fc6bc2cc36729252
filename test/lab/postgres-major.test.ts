/**
 * PostgreSQL's next major version: a release that pins it moves the data, row by row compared, and the one before moves them back. On one booted machine, with real servers of both
 * versions; refused before anything, and killed in the middle. Needs: lab. Takes 4 minutes.
 */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { parse, stringify } from 'yaml'
import { cloneWith, editFile } from './clone.ts'
import { ensureNextPostgres } from './image.ts'
import { load, type Tally } from './load.ts'
import { readPins } from './pin.ts'
import {
  bareServer,
  bootstrap,
  type Door,
  door,
  eventsOf,
  hostWords,
  inside,
  machineWords,
  type Server,
  toolkit,
  untilHealthy,
} from './server.ts'

let server: Server
let way: Door
let key = ''
let next = ''
let nextSpec = ''

const sql = (statement: string, database = 'tappass', role = 'postgres') =>
  inside(
    server,
    `docker exec tappass-postgres psql --no-psqlrc -qAt --host /tappass/run --username ${role} --dbname ${database} --command "${statement}"`,
  )
const ROWS = 100_000

before(async () => {
  const [pins, image] = await Promise.all([readPins(), ensureNextPostgres()])
  server = await bareServer('postgres-major', 0, { tree: 'docker' })
  await bootstrap(server)
  way = await door(server)
  ;({ key } = await way.agent('bot'))
  await sql('CREATE DATABASE tappass_kept OWNER tappass_owner', 'postgres')
  await sql(
    `CREATE TABLE kept AS SELECT n AS id, md5(n::text) AS word, now() AS at FROM generate_series(1, ${ROWS}) AS n`,
    'tappass_kept',
    'tappass_owner',
  )
  next = await cloneWith(server.folder, 'next', (root) =>
    editFile(join(root, 'versions.yaml'), pins.images['postgres']?.reference.split('@')[0] ?? '', image.reference),
  )
  nextSpec = join(server.folder, 'next.yaml')
  const spec = parse(await readFile(server.specPath, 'utf8')) as { images: Record<string, unknown> }
  await writeFile(nextSpec, stringify({ ...spec, images: { ...spec.images, postgres: { archive: image.path } } }))
})
after(async () => {
  await way?.close()
  await server?.close()
})

const upgrade = (...words: readonly string[]) =>
  toolkit(
    ['upgrade', ...machineWords(server), '--config', nextSpec, '--json', '--yes', '--soak', '0s', ...words],
    600_000,
    next,
  )
/** What stands in the folder of the data: the cluster in force, and what is kept. */
const clusters = () =>
  inside(
    server,
    'cd /var/lib/tappass/postgres && for each in *; do echo "$each" "$(cat "$each/PG_VERSION")"; done | paste -sd,',
  )
const digest = () =>
  sql('SELECT count(*), md5(string_agg(kept::text, chr(44) ORDER BY id)) FROM kept', 'tappass_kept', 'tappass_backup')
const calls = async (count: number): Promise<Tally> => await load(way, key, 4, ({ sent }) => sent >= count)
const ids = async () => new Set((await sql('SELECT DISTINCT request_id FROM audit_events')).split('\n'))
const reasons = (output: Awaited<ReturnType<typeof upgrade>>) =>
  JSON.stringify(eventsOf(output).filter(({ event }) => ['refused', 'step-failed', 'error', 'output'].includes(event)))

test('what is not ours in the server: refused before anything', async () => {
  await sql('CREATE ROLE eve', 'postgres')
  const output = await upgrade()
  await sql('DROP ROLE eve', 'postgres')
  assert.equal(output.code, 5, output.stdout)
  assert.match(output.stdout, /there is a role eve, which is not ours/)
  assert.equal(await clusters(), 'cluster 16')
})

test('killed while the new server is filled: the one before serves again by itself, and every call is recorded', async () => {
  const running = upgrade()
  const killed = await inside(
    server,
    `for try in $(seq 1200); do docker exec tappass-postgres-next psql -qAt --host /tappass/run/next --username postgres --command 'SELECT datname FROM pg_database' 2>/dev/null | grep -q tappass_moved && break; sleep 0.05; done
    systemctl kill --kill-whom=main --signal=SIGKILL tappass-postgres-move.service && echo killed`,
  )
  assert.equal(killed, 'killed')
  const output = await running
  assert.equal(output.code, 1, reasons(output))
  await untilHealthy(server)
  assert.deepEqual((await calls(20)).failures, [])
  assert.equal(await clusters(), 'cluster 16')
})

/** Runs a move under load. Gives what was said, how long no call was answered, and the acknowledged calls. */
const moved = async (run: () => ReturnType<typeof upgrade>) => {
  let isOver = false
  const loading = load(way, key, 4, ({ sent }) => isOver && sent >= 40)
  const output = await run().finally(() => {
    isOver = true
  })
  const tally = await loading
  const said = eventsOf(output).flatMap((event) => (event.event === 'output' ? [event.line] : []))
  const line = said.find((each) => each.startsWith('moved to PostgreSQL')) ?? ''
  return { output, line, tally }
}

for (const { name, run, version } of [
  { name: 'a release with the next major version', version: '17', run: () => upgrade() },
  {
    name: 'the way back: a bootstrap of the release before',
    version: '16',
    run: () => toolkit(['bootstrap', ...hostWords(server), '--json', '--yes']),
  },
]) {
  test(`${name}: each row is there, the earlier data are kept, every acknowledged call is in the ledger`, async (context) => {
    const had = await digest()
    const before = version === '17' ? '16' : '17'
    const { output, line, tally } = await moved(run)
    context.diagnostic(`${line}; ${tally.failures.length} of ${tally.sent} calls failed meanwhile`)
    assert.equal(output.code, 0, `${reasons(output)}${output.stderr}`)
    assert.match(
      line,
      new RegExp(`^moved to PostgreSQL ${version}: \\d{6} rows compared, the gateway stood still for \\S+ s`),
    )
    assert.equal(await clusters(), `cluster ${version},cluster.${before} ${before}`)
    assert.equal((await sql('SHOW server_version_num')).slice(0, 2), version)
    assert.equal(await digest(), had)
    const recorded = await ids()
    assert.deepEqual(
      tally.acknowledged.filter((id) => !recorded.has(id)),
      [],
    )
    assert.deepEqual((await calls(20)).failures, [])
    assert.equal((await toolkit(['audit', 'verify', ...machineWords(server)])).code, 0)
    assert.equal(await sql("SELECT bool_or(rolsuper) FROM pg_roles WHERE rolname LIKE 'tappass%'", 'postgres'), 'f')
  })
}

test('upgrade --finish: what was kept goes, and nothing is left to do', async () => {
  const output = await toolkit(['upgrade', ...hostWords(server), '--json', '--yes', '--finish'], 600_000)
  assert.equal(output.code, 0, reasons(output))
  assert.equal(await clusters(), 'cluster 16')
  const { code, stdout } = await toolkit(['plan', ...machineWords(server), '--config', server.specPath, '--json'])
  assert.equal(code, 0, stdout)
})
