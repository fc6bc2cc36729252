/**
 * The next release goes wrong: what was not moved yet goes on serving, what was moved goes back, and a reboot starts what was in force.
 * An older release, and one whose migrations are others, are refused. One machine for all. Takes 6 minutes.
 */
import assert from 'node:assert/strict'
import { readdir, writeFile } from 'node:fs/promises'
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
  hostWords,
  inside,
  mainPids,
  type Server,
  toolkit,
  untilHealthy,
} from './server.ts'

let server: Server
let through: Door
let key: string

before(async () => {
  server = await bootstrappedServer('proof-release', { tree: 'docker' })
  through = await door(server)
  key = (await through.agent('release')).key
})
after(async () => {
  await through?.close()
  await server?.close()
})

/** Another release, made of this clone. */
const releaseWith = (name: string, change: (root: string) => Promise<unknown>): Promise<string> =>
  cloneWith(server.folder, name, change)

const migrations = async (root: string): Promise<readonly string[]> =>
  (await readdir(join(root, 'migrations'))).toSorted()

/** Adds a migration after the last one. */
const addMigration = async (root: string, sql: string): Promise<string> => {
  const number = (await migrations(root)).length + 1
  const file = `${String(number).padStart(3, '0')}_lab.sql`
  await writeFile(join(root, 'migrations', file), sql)
  return file
}

type Run = Readonly<{ code: number; text: string; failures: readonly string[]; answered: number }>

/** Runs bootstrap from a clone under load. */
const bootstrapFrom = async (root: string): Promise<Run> => {
  let isOver = false
  const loading = load(through, key, 4, () => isOver)
  const output = await toolkit(['bootstrap', ...hostWords(server), '--yes', '--json'], 600_000, root).finally(() => {
    isOver = true
  })
  const { failures, acknowledged } = await loading
  const reasons = eventsOf(output).flatMap((event): readonly unknown[] => {
    if (event.event === 'refused') return event.reasons
    return event.event === 'step-failed' || event.event === 'error' ? [event.failure] : []
  })
  return { code: output.code, text: JSON.stringify(reasons), failures, answered: acknowledged.length }
}

/** What a reboot starts, and what people see of it. */
const inForce = (): Promise<string> =>
  inside(
    server,
    `readlink /opt/tappass/current; cd /etc/systemd/system; ls -d tappass@*; sha256sum tappass@.service tappass-migrate.service /etc/tappass/gateway.env
     ls /etc/tappass /run/systemd/system | grep -e next || true`,
  )

/** The newest backup; one a day is kept, so that their number says nothing. */
const lastBackup = (): Promise<string> => inside(server, 'ls /var/lib/tappass/backup | grep ^tappass- | tail -n 1')

const schema = (): Promise<string> =>
  inside(
    server,
    `docker exec tappass-postgres psql --host /tappass/run --username postgres --dbname tappass --tuples-only --no-align --command 'SELECT max(version) FROM schema_migrations'`,
  )

/** With it no instance serves. */
const withoutRedis = (root: string): Promise<void> =>
  editFile(join(root, 'templates/gateway.env.hbs'), 'redis/redis.sock', 'redis/no.sock')

/** What makes the backup fail. */
const broken = '/run/systemd/system/tappass-backup.service.d'

/** The exit code is 3 where an instance was moved and went back, and 1 where the run ended before anything was. */
const rows = [
  {
    name: 'a backup that fails before a migration',
    change: async (root: string) => {
      await inside(
        server,
        `mkdir ${broken} && printf '[Service]\\nExecStartPre=false\\n' >${broken}/lab.conf && systemctl daemon-reload`,
      )
      await addMigration(root, 'CREATE TABLE lab_one (x int);')
    },
    code: 1,
    text: /tappass-backup\.service/,
    isBackedUp: false,
    isHarmless: true,
  },
  {
    name: 'a Redis that is nowhere',
    change: async (root: string) => {
      await inside(server, `rm -r ${broken} && systemctl daemon-reload`)
      await withoutRedis(root)
    },
    code: 3,
    text: /tappass@1\.service is not well.*waiting for redis/,
    isBackedUp: false,
  },
] as const

for (const row of rows) {
  test(`${row.name}: exit ${row.code}, instance 2 stays, every call is answered, and what is in force stays`, async () => {
    const before = { pids: await mainPids(server), inForce: await inForce(), schema: await schema() }
    const backupBefore = await lastBackup()
    const run = await bootstrapFrom(await releaseWith(row.name, row.change))
    assert.equal(run.code, row.code, run.text)
    assert.match(run.text, row.text)
    assert.deepEqual(run.failures, [])
    assert.ok(run.answered > 20)
    const pids = await mainPids(server)
    assert.equal(pids['tappass@2'], before.pids['tappass@2'])
    assert.equal(pids['tappass@1'] === before.pids['tappass@1'], row.code === 1)
    assert.deepEqual(
      { inForce: await inForce(), schema: await schema() },
      { inForce: before.inForce, schema: before.schema },
    )
    assert.equal((await lastBackup()) !== backupBefore, row.isBackedUp)
    if ('isHarmless' in row) return // nothing was moved, and the next row begins where this one ends
    await reboot(server.machine.name)
    await untilHealthy(server)
    assert.deepEqual((await load(through, key, 4, ({ sent }) => sent >= 40)).failures, [])
    assert.equal(await inForce(), before.inForce)
  })
}

/** Everything that a run writes, with times. */
const tree = (): Promise<string> =>
  inside(
    server,
    `find /etc /opt /usr/local /root /var/lib/systemd/credential.secret /run/systemd/system -printf '%p %m %u %s %T@\\n' | sort | sha256sum
     ls -lR /var/lib/tappass/backup; systemctl show --property=MainPID --value tappass@1 tappass@2`,
  )

const moved = 'CREATE TABLE lab_three (x int);'

test('a migration that was run can not be taken back: exit 1 says so, instance 2 stays, every call is answered', async () => {
  const before = await mainPids(server)
  const clone = await releaseWith('migrated and broken', async (root) => {
    await addMigration(root, moved)
    await withoutRedis(root)
  })
  const run = await bootstrapFrom(clone)
  assert.deepEqual([run.code, run.failures], [1, []], run.text)
  assert.match(run.text, /can't go back.*_lab\.sql.*var.lib.tappass.backup/)
  assert.equal((await mainPids(server))['tappass@2'], before['tappass@2'])
})

/** The OPA servers that run, by their keys. */
const opaKeys = (): Promise<string> =>
  inside(
    server,
    "systemctl list-units --plain --no-legend 'tappass-opa@*' | sed 's/.*@\\([^.]*\\).*/\\1/'; ls /etc/tappass/opa",
  )

/** Another threshold is another policy, with an OPA server of its own. */
const changePolicy = async (root: string): Promise<void> => {
  await editFile(join(root, 'server/rules/families.yaml'), 'confidenceMin: 0.8', 'confidenceMin: 0.81')
  for (const build of ['server/rules/build.ts', 'server/policy/build.ts'])
    await demand([process.execPath, build, ...(build.includes('policy') ? ['--data'] : [])], { cwd: root })
}

test('the same release, mended, with another policy: both instances move, an OPA after the other, and no call fails', async () => {
  const [schemaBefore, opaBefore] = [await schema(), await opaKeys()]
  const clone = await releaseWith('good', async (root) => {
    await addMigration(root, moved)
    await changePolicy(root)
  })
  const run = await bootstrapFrom(clone)
  assert.deepEqual([run.code, run.failures], [0, []], run.text)
  assert.equal(await schema(), schemaBefore)
  const versions = await inside(
    server,
    'readlink /opt/tappass/current; for i in 1 2; do readlink /proc/$(systemctl show --property=MainPID --value tappass@$i)/cwd; done',
  )
  assert.equal(new Set(versions.split('\n')).size, 1, versions)
  const keys = (await opaKeys()).split('\n')
  assert.deepEqual([keys.length, new Set(keys).size], [2, 1], keys.join())
  assert.notDeepEqual(keys, opaBefore.split('\n'))
  assert.equal((await toolkit(['plan', ...hostWords(server)], 60_000, clone)).code, 0)
})

/** Releases that must not come near the database as it is now. */
const refusals = [
  {
    name: 'an older release that is still installed',
    change: async () => {},
    text: /the database has \S*_lab\.sql, which this release does not know/,
  },
  {
    name: 'an older release that is not',
    change: (root: string) => editFile(join(root, 'LICENSE'), 'Apache License', 'Apache  License'),
    text: /older than the database: it does not know \S*_lab\.sql/,
  },
  {
    name: 'a release of another history',
    change: (root: string) => addMigration(root, 'CREATE TABLE lab_other (x int);'),
    text: /_lab\.sql of this release is not the one/,
  },
] as const

for (const { name, change, text } of refusals) {
  test(`${name}: exit 5 from plan and bootstrap, nothing changed`, async () => {
    const clone = await releaseWith(name, change)
    const before = await tree()
    assert.equal((await toolkit(['plan', ...hostWords(server)], 60_000, clone)).code, 5)
    const run = await bootstrapFrom(clone)
    assert.equal(run.code, 5, run.text)
    assert.match(run.text, text)
    assert.deepEqual([run.failures, await tree()], [[], before])
  })
}
