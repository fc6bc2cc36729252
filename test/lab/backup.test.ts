/**
 * Backups on a booted machine, with the real programs: taken by the nightly unit under load, proven, and restored after damage, over SSH; what is refused; and SIGKILL where
 * it hurts. Needs: lab. Takes 4 minutes.
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { load } from './load.ts'
import {
  bareServer,
  bootstrap,
  type Door,
  door,
  eventsOf,
  inside,
  machineWords,
  type Server,
  toolkit,
  untilHealthy,
  writeSpec,
} from './server.ts'

let server: Server
let way: Door
let key = ''
let recipient = ''
let set = ''

const FOLDER = '/var/lib/tappass/backup'
const backup = (...words: readonly string[]) => toolkit(['backup', ...words, ...machineWords(server)])
const listed = async () => {
  const events = eventsOf(await backup('list', '--json'))
  const found = events.flatMap((event) => (event.event === 'backups' ? event.backups : []))
  return found as readonly Readonly<{ name: string; state: string; isVerified: boolean; recipient: string | null }>[]
}
const sql = (statement: string, database = 'tappass', role = 'postgres') =>
  inside(
    server,
    `docker exec tappass-postgres psql --no-psqlrc -qAt --host /tappass/run --username ${role} --dbname ${database} --command "${statement}"`,
  )
const entries = async (database = 'tappass') => Number(await sql('SELECT count(*) FROM audit_events', database))
const databases = async () => (await sql('SELECT datname FROM pg_database', 'postgres')).split('\n')
const statusCode = async () => (await toolkit(['status', ...machineWords(server)])).stdout
const calls = async (count: number) => {
  const tally = await load(way, key, 4, ({ acknowledged, failures }) => acknowledged.length + failures.length >= count)
  assert.deepEqual(tally.failures, [])
}

before(async () => {
  server = await bareServer('backup', 0, { tree: 'docker' })
  const keyFile = join(server.folder, 'recovery.key')
  const made = await toolkit(['backup', 'key', 'create', '--out', keyFile])
  assert.equal(made.code, 0, made.stderr)
  recipient = made.stdout.trim()
  assert.match(await readFile(keyFile, 'utf8'), /^AGE-SECRET-KEY-1/m)
  const { upstream } = server
  await writeSpec(server, (spec) => ({
    ...spec,
    gateway: { callsMax: 1_000_000, upstream: upstream.url },
    backup: { recoveryKey: recipient },
  }))
  await bootstrap(server)
  way = await door(server)
  ;({ key } = await way.agent('bot'))
})
after(async () => {
  await way?.close()
  await server?.close()
})

test('create: taken and proven under load, without a failed call', async (context) => {
  await calls(50)
  let isOver = false
  const loading = load(way, key, 4, () => isOver)
  const startMs = performance.now()
  const { code, stdout, stderr } = await backup('create')
  context.diagnostic(
    `a create with its proof, under load, took ${Math.round(performance.now() - startMs)} ms: ${stdout}`,
  )
  isOver = true
  const tally = await loading
  assert.deepEqual([code, tally.failures], [0, []], stderr)
  assert.ok(tally.acknowledged.length > 20)
  const [only, ...others] = await listed()
  assert.deepEqual([only?.state, only?.recipient, others], ['verified', recipient, []])
  set = only?.name ?? ''
  const found = await inside(server, `cd ${FOLDER}/${set} && stat -c '%a %U %n' . *`)
  assert.deepEqual(
    found.split('\n').map((line) => line.split(' ').slice(0, 2).join(' ')),
    ['700 root', ...Array(10).fill('600 root')],
    found,
  )
  assert.match(await statusCode(), /^backup {9}\S+Z, \d+ min old, \d+ bytes, restored as a proof in /m)
  assert.doesNotMatch((await databases()).join(), /proof/)
})

test('no secret of the host stands in a set, and none in what the unit said', async () => {
  const found = await inside(
    server,
    `cd /etc/credstore.encrypted; for id in *; do systemd-creds decrypt --name=$id $id - | head -n 2 | tail -n 1 | cut -c 1-40; done >/run/secrets
    [ "$(grep -c . /run/secrets)" -ge 7 ] || echo 'no secrets to look for'
    grep -r --count --fixed-strings --file=/run/secrets ${FOLDER}/${set} | grep -v ':0$'; journalctl -u tappass-backup | grep --count --fixed-strings --file=/run/secrets; rm /run/secrets; true`,
  )
  assert.equal(found, '0')
})

test('restore: calls since are gone, the agent and its key work, the ledger holds, the earlier database is kept', async (context) => {
  const before = Number(
    JSON.parse(await inside(server, `cat ${FOLDER}/${set}/manifest.json`)).rows['public.audit_events'],
  )
  await way.agent('later')
  await calls(20)
  await sql('ALTER TABLE audit_events DISABLE TRIGGER ALL; DELETE FROM audit_events WHERE seq > 3')
  const damaged = await toolkit(['audit', 'verify', ...machineWords(server)])
  assert.equal(damaged.code, 1)
  const startMs = performance.now()
  const { code, stdout, stderr } = await backup('restore', set, '--yes')
  context.diagnostic(`a restoration took ${Math.round(performance.now() - startMs)} ms: ${stdout}`)
  assert.equal(code, 0, `${stdout}${stderr}`)
  assert.match(stdout, /^intact: /m)
  const [kept = ''] = (await databases()).filter((name) => name.startsWith('tappass_before_'))
  assert.ok((await entries(kept)) < before)
  assert.ok((await entries()) >= before)
  await untilHealthy(server)
  await calls(20)
  assert.equal((await way.admin('/agents/later')).status, 404)
  assert.equal((await toolkit(['audit', 'verify', ...machineWords(server)])).code, 0)
  const alarms = await inside(server, `journalctl -u 'tappass@*' --since -2min -o cat | grep -c history_lost || :`)
  assert.equal(alarms, '0')
  await sql(`DROP DATABASE ${kept}`, 'postgres')
})

test('restore --to: what was destroyed is there again as of a moment before; what is recorded is archived within a minute', async (context) => {
  const { key: late } = await way.agent('late')
  await calls(10)
  const count = await entries()
  const [segment, startMs] = [await sql('SELECT pg_walfile_name(pg_current_wal_lsn())'), performance.now()]
  await sleep(1100)
  const time = new Date().toISOString()
  await sleep(1100)
  await sql(
    'ALTER TABLE audit_events DISABLE TRIGGER ALL; DELETE FROM audit_events WHERE seq > 3; TRUNCATE agents CASCADE',
  )
  await inside(
    server,
    `for try in $(seq 120); do [ -e /var/lib/tappass/wal/*/${segment}.gz ] && exit; sleep 0.5; done; exit 1`,
  )
  const archivedMs = Math.round(performance.now() - startMs)
  assert.ok(archivedMs < 60_000, `${archivedMs} ms`)
  const restoreMs = performance.now()
  const { code, stdout, stderr } = await backup('restore', '--to', time, '--yes')
  context.diagnostic(
    `a commit was archived after ${archivedMs} ms; back to a moment in ${Math.round(performance.now() - restoreMs)} ms: ${stdout}`,
  )
  assert.equal(code, 0, stdout + stderr)
  assert.match(stdout, /^intact: /m)
  await untilHealthy(server)
  assert.ok((await entries()) >= count)
  const tally = await load(way, late, 2, ({ acknowledged, failures }) => acknowledged.length + failures.length >= 4)
  assert.deepEqual(tally.failures, [])
  const early = await backup('restore', '--to', '2026-01-01T00:00:00Z', '--yes')
  assert.equal(early.code, 5)
  assert.match(early.stderr, /the first moment that can be gone back to is 20/)
  const made = /^made (tappass-\S+), the database as of/m.exec(stdout)?.[1]
  assert.equal((await listed()).find(({ name }) => name === made)?.state, 'verified')
  await inside(
    server,
    `rm -r ${FOLDER}/${made}; docker container ls --all --quiet --filter name=recovery; ls /var/lib/tappass/postgres`,
  ).then((left) => assert.equal(left, 'cluster'))
  for (const name of (await databases()).filter((each) => each.startsWith('tappass_before_')))
    await sql(`DROP DATABASE ${name}`, 'postgres')
})

test('a base backup whose log is not all there is not good', async () => {
  const first = await inside(server, `sed -n 's/.*"firstWal": "\\(.*\\)".*/\\1/p' ${FOLDER}/base-*/base.json`)
  const move = (from: string, to: string) => inside(server, `cd /var/lib/tappass/wal/*/ && mv ${from} ${to}`)
  await move(`${first}.gz`, `${first}.aside`)
  const { code, stderr } = await backup('verify')
  await move(`${first}.aside`, `${first}.gz`)
  assert.equal(code, 1)
  assert.match(stderr, /it waits for its WAL/)
})

/** A copy of the set, changed; `says` is what the refusal has to name. */
const refusals: readonly Readonly<{ name: string; change: string; says: RegExp }>[] = [
  {
    name: 'a flipped byte in the dump',
    change: `printf X | dd of=database.dump bs=1 seek=5000 conv=notrunc status=none`,
    says: /database\.dump is not what was written/,
  },
  { name: 'a dump that was cut', change: 'truncate --size 4000 database.dump', says: /database\.dump has 4000 bytes/ },
  { name: 'a missing file', change: 'rm ledger.json', says: /ledger\.json is missing/ },
  {
    name: 'a changed manifest',
    change: `sed -i 's/"schema": "[0-9]*"/"schema": "999"/' manifest.json`,
    says: /signature is not one of this host/,
  },
]
test('restore refuses what was damaged, before anything is done', async () => {
  const copy = 'tappass-20300101T000000Z'
  for (const { name, change, says } of refusals) {
    await inside(server, `cp -a ${FOLDER}/${set} ${FOLDER}/${copy} && cd ${FOLDER}/${copy} && ${change}`)
    const { code, stderr } = await backup('restore', copy, '--yes')
    await inside(server, `rm -r ${FOLDER}/${copy}`)
    assert.equal(code, 5, `${name}: ${stderr}`)
    assert.match(stderr, says, name)
  }
  const unasked = await backup('restore', set, '--no-input')
  assert.equal(unasked.code, 64, unasked.stderr)
  await calls(4)
})

test('restore: a dump in plain SQL goes beside, under a name; one for another vault key is refused', async () => {
  await inside(
    server,
    `docker exec tappass-postgres pg_dump --host /tappass/run --username tappass_backup --no-large-objects tappass >/root/plain.sql`,
  )
  const { code, stderr } = await backup('restore', '/root/plain.sql', '--database', 'tappass_look')
  assert.equal(code, 0, stderr)
  assert.equal(await sql(`SELECT count(*) > 0 FROM audit_events`, 'tappass_look'), 't')
  await sql('DROP DATABASE tappass_look', 'postgres')
  const file = '/etc/credstore.encrypted/tappass-vault-key'
  await inside(
    server,
    `cp ${file} /root/vault; head -c 32 /dev/urandom | base64 -w0 | systemd-creds encrypt --name=tappass-vault-key - ${file}`,
  )
  const foreign = await backup('restore', set, '--yes')
  await inside(server, `cp /root/vault ${file}`)
  assert.equal(foreign.code, 5, foreign.stderr)
  assert.match(foreign.stderr, /another vault key/)
})

test('a view that somebody planted gets no rights by a backup, which fails and says so; status tells', async () => {
  await sql(
    `CREATE FUNCTION public.seize() RETURNS integer LANGUAGE plpgsql AS 'BEGIN EXECUTE ''ALTER ROLE tappass SUPERUSER''; RETURN 12; END'; ALTER TABLE schema_migrations RENAME TO kept; CREATE VIEW schema_migrations AS SELECT seize() AS version`,
    'tappass',
    'postgres',
  )
  await sql('ALTER VIEW schema_migrations OWNER TO tappass_owner; ALTER FUNCTION seize() OWNER TO tappass_owner')
  const { code, stderr, stdout } = await backup('create')
  await sql('DROP VIEW schema_migrations; ALTER TABLE kept RENAME TO schema_migrations; DROP FUNCTION seize()')
  assert.notEqual(code, 0)
  assert.match(stdout + stderr, /no table schema_migrations/)
  assert.equal(await sql(`SELECT bool_or(rolsuper) FROM pg_roles WHERE rolname LIKE 'tappass%'`, 'postgres'), 'f')
  assert.deepEqual(
    (await listed()).map(({ name }) => name),
    [set],
  )
})

/** Waits until a condition (a shell text) holds on the machine, and kills the process of a unit at once. */
const killWhen = (unit: string, condition: string, whom: 'all' | 'main') =>
  inside(
    server,
    `for try in $(seq 600); do ${condition} && break; sleep 0.05; done
    systemctl kill --kill-whom=${whom} --signal=SIGKILL ${unit} && echo killed`,
  )
const hasDatabase = (name: string) =>
  `docker exec tappass-postgres psql -qAt --host /tappass/run --username postgres --command 'SELECT datname FROM pg_database' | grep -q ${name}`

test('SIGKILL during the proof: the set does not count; the next run clears up and proves', async () => {
  const running = backup('create')
  assert.equal(await killWhen('tappass-backup.service', hasDatabase('tappass_proof'), 'all'), 'killed')
  assert.notEqual((await running).code, 0)
  const newest = (await listed()).at(-1)
  assert.equal(newest?.state, 'not verified')
  assert.match(await statusCode(), /^backup ! {7}/m)
  const { code, stderr } = await backup('verify')
  assert.equal(code, 0, stderr)
  assert.equal((await listed()).at(-1)?.state, 'verified')
  assert.doesNotMatch((await databases()).join(), /proof/)
  await inside(server, 'systemctl reset-failed tappass-backup.service')
  assert.match(await statusCode(), /^backup {9}/m)
})

test('SIGKILL during the swap: a whole database is in force, and the gateway is back by itself', async () => {
  const running = backup('restore', set, '--yes')
  const unit = `$(systemctl list-units --no-legend --plain 'run-*.service' | grep -m 1 -o '^run-[^ ]*')`
  assert.equal(await killWhen(unit, `[ -e ${FOLDER}/.restore.json ]`, 'main'), 'killed')
  assert.notEqual((await running).code, 0)
  await untilHealthy(server)
  await sleep(1000)
  await calls(8)
  assert.equal((await toolkit(['audit', 'verify', ...machineWords(server)])).code, 0)
  const { code, stderr } = await backup('restore', set, '--yes')
  assert.equal(code, 0, stderr)
  await untilHealthy(server)
  await calls(8)
  assert.ok(!(await databases()).includes('tappass_restored'))
})
