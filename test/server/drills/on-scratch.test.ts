/**
 * Drills that touch nothing, over a real PostgreSQL with its own tools: a damaged page is found, the newest backup is brought to a gateway that answers, migrations run; what has to fail fails, is
 * noted with its reason, and leaves nothing. Needs: postgres. On one Node: the one of servers.
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { after, before, test } from 'node:test'
import { HOST_PATH } from '../../../contract/path.ts'
import { credentialId } from '../../../contract/secret.ts'
import type { DrillEntry } from '../../../server/drill/drill-log.ts'
import { execute } from '../../lab/execution.ts'
import { createTestHost, type TestHost } from '../backup-host.ts'
import { ROLE_PASSWORDS } from '../divided-roles.ts'
import { layScratchDocker } from './scratch-docker.ts'

const PROGRAM = join(import.meta.dirname, '../../../server/drill.ts')

let host: TestHost
before(async () => {
  host = await createTestHost()
  writeFileSync(join(host.credentials, credentialId('POSTGRES_OWNER_PASSWORD')), ROLE_PASSWORDS.owner)
})
after(() => host.dispose())

const drill = async (name: string) => {
  const { root, credentials, server } = host
  const options = ['--root', root, '--credentials', credentials, '--port', `${server.port}`, '--json']
  const env = { PATH: [join(root, 'bin'), process.env['PATH']].join(delimiter) }
  const output = await execute([process.execPath, PROGRAM, name, ...options], { env })
  const entry = output.stdout === '' ? undefined : (JSON.parse(output.stdout) as DrillEntry & { last: unknown })
  return { ...output, entry }
}
const folder = () => join(host.root, HOST_PATH.drillFolder)
const isClear = () => {
  assert.equal(existsSync(join(host.root, 'container')), false, 'a container is left')
  assert.equal(existsSync(join(folder(), 'scratch')), false, 'files are left')
}

test('without a backup that counts there is nothing to be drilled: 5, and nothing is noted', async () => {
  layScratchDocker(host)
  const { code, stderr, entry } = await drill('server')
  assert.equal(code, 5, stderr)
  assert.match(stderr, /no backup that counts: tappass backup create/)
  assert.equal(entry, undefined)
  host.useTools({})
  const made = await host.run('create')
  assert.equal(made.code, 0, made.stderr)
  layScratchDocker(host)
})

const done: readonly (readonly [name: string, steps: readonly RegExp[], notes: readonly RegExp[]])[] = [
  ['server', [/newest backup/, /make a cluster/, /answer a call/], [/ledger intact \(402 entries\)/, /a new machine/]],
  [
    'corruption',
    [/checksums of all pages/, /read the table/, /make a cluster/, /until a gateway answers/],
    [/a byte of a page of public\.audit_events was changed/, /amcheck/],
  ],
  ['upgrade', [/own check/, /migrations/], [/^0 migrations were run/, /wait for migrations only/]],
]
for (const [name, steps, notes] of done)
  test(`${name}: reached, noted, and nothing is left`, async (context) => {
    const { code, stderr, entry } = await drill(name)
    assert.equal(code, 0, `${stderr}${JSON.stringify(entry)}`)
    context.diagnostic(JSON.stringify(entry))
    assert.deepEqual([entry?.outcome, entry?.last], ['reached', null])
    for (const [index, step] of steps.entries()) assert.match(entry?.steps[index]?.what ?? '', step)
    for (const [index, note] of notes.entries()) assert.match(entry?.notes[index] ?? '', note)
    assert.ok((entry?.rtoMs ?? 0) > 0)
    isClear()
    assert.match(
      readFileSync(join(folder(), 'tappass-drill.prom'), 'utf8'),
      new RegExp(`reached\\{drill="${name}"\\} 1`),
    )
  })

test('a look that finds no damage fails the drill: exit 1, the reason, and nothing is left', async () => {
  layScratchDocker(host, true)
  const { code, entry } = await drill('corruption')
  layScratchDocker(host)
  assert.equal(code, 1)
  assert.equal(entry?.outcome, 'failed')
  assert.match(entry?.notes[0] ?? '', /was not found by pg_checksums/)
  isClear()
})

test('a backup that was damaged since it was proven can’t be restored: exit 1, and it is named', async () => {
  const dump = join(host.backups, readdirSync(host.backups)[0] ?? '', 'database.dump')
  const bytes = readFileSync(dump)
  const middle = bytes.length >> 1
  bytes.writeUInt8(bytes.readUInt8(middle) ^ 0xff, middle)
  writeFileSync(dump, bytes)
  const { code, entry } = await drill('server')
  assert.equal(code, 1)
  assert.match(entry?.notes[0] ?? '', /can't be restored: database\.dump/)
  isClear()
  rmSync(join(host.backups, readdirSync(host.backups)[0] ?? ''), { recursive: true })
})
