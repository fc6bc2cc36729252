/** A bare host before it becomes the lost one: what is taken for bare, and what is laid there, by the scripts themselves. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { HOST_PATH } from '../../../contract/path.ts'
import type { Command, GetFact } from '../../../scripts/core/host.ts'
import { hostTraitsFact } from '../../../scripts/facts/host-trait.ts'
import {
  foundingSetOf,
  seedCommands,
  sendSetFileCommand,
  unpackLogCommand,
} from '../../../scripts/recovery/founding.ts'
import { packSegments } from '../../../server/copies/wal-batch.ts'
import { execute } from '../../lab/execution.ts'

const SET = 'tappass-20261127T031700Z'
const OTHER = 'tappass-20261128T031700Z'

const folder = mkdtempSync(join(tmpdir(), 'tappass-founding-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** A host with those paths, and that note. */
const host =
  (paths: readonly string[], note?: string): GetFact =>
  async (fact) => {
    const subject = fact.subject ?? fact.query.argv.at(-1) ?? ''
    if ((fact as unknown) === hostTraitsFact) return { credentialStore: 'plain' } as never
    if (subject === HOST_PATH.foundingNote) return (note === undefined ? undefined : `${note}\n`) as never
    return (paths.includes(subject) ? { kind: 'directory' } : { kind: 'absent' }) as never
  }

const rows: readonly Readonly<{ name: string; facts: GetFact; wanted?: string; is: string | undefined | RegExp }>[] = [
  { name: 'nothing of ours', facts: host([]), is: undefined },
  { name: 'settings', facts: host([HOST_PATH.settings]), is: /not bare/ },
  { name: 'a database', facts: host([HOST_PATH.postgresCluster]), is: /not bare/ },
  { name: 'an authority', facts: host([`${HOST_PATH.spireServerFolder}/keys.json`]), is: /not bare/ },
  { name: 'checkpoints', facts: host([HOST_PATH.checkpointFolder]), wanted: SET, is: /not bare/ },
  { name: 'begun, and no set is named', facts: host([HOST_PATH.postgresCluster], SET), is: SET },
  { name: 'begun, and the same is named', facts: host([HOST_PATH.settings], SET), wanted: SET, is: SET },
  { name: 'begun, and another one is named', facts: host([], SET), wanted: OTHER, is: /is being made from/ },
]
for (const { name, facts, wanted, is } of rows)
  test(`a host with ${name}`, async () => {
    if (is instanceof RegExp) await assert.rejects(foundingSetOf(facts, wanted), is)
    else assert.equal(await foundingSetOf(facts, wanted), is)
  })

/** Runs a command here, its paths below the folder of the test. */
const runHere = async ({ argv, stdin }: Command) => {
  const moved = argv.map((word) => (word.startsWith('/var/lib/') ? join(folder, word) : word))
  const input = typeof stdin === 'string' ? stdin : 'cut'
  return await execute(moved as [string, ...string[]], { stdin: input })
}

test('the authority and the note are laid for root alone; of secrets only next values and earlier keys, and none in an argument', async () => {
  const keys = Buffer.from('{"keys":1}')
  const commands = await seedCommands(host([]), {
    set: SET,
    spire: { 'keys.json': keys.toString('base64'), '../evil': 'AAAA' },
    secrets: {
      'tappass-vault-key': 'of the run',
      'tappass-token-key-next': 'still to come',
      'tappass-vault-key-earlier': 'still to come back',
    },
  })
  assert.equal(commands.length, 3)
  assert.ok(commands.every(({ isSecret, argv }) => isSecret && !/still to come|eyJr/.test(argv.join(' '))))
  assert.match(commands[1]?.argv.join(' ') ?? '', /tappass-token-key-next/)
  assert.deepEqual(
    [commands[2]?.argv.includes('tappass-vault-key-earlier'), commands[2]?.stdin],
    [true, 'still to come back'],
  )
  const { code, stderr } = await runHere(commands[0] as Command)
  assert.equal(code, 0, stderr)
  const laid = join(folder, HOST_PATH.spireServerFolder, 'keys.json')
  assert.deepEqual(readFileSync(laid), keys)
  assert.equal(statSync(laid).mode & 0o777, 0o600)
  assert.equal(readFileSync(join(folder, HOST_PATH.foundingNote), 'utf8'), `${SET}\n`)
})

test('a file of the set has its name once its bytes are those that were fetched', async () => {
  const digest = createHash('sha256').update('cut').digest('hex')
  const send = (sha256: string) => runHere(sendSetFileCommand(SET, 'database.dump', sha256, () => [] as never))
  const path = join(folder, HOST_PATH.backupFolder, SET, 'database.dump')
  assert.notEqual((await send('0'.repeat(64))).code, 0)
  assert.throws(() => statSync(path))
  assert.equal((await send(digest)).code, 0)
  assert.equal(readFileSync(path, 'utf8'), 'cut')
  assert.equal((await send(digest)).code, 0)
})

test('the log that came with a base backup is laid down where that of its cluster is looked for; of a name that stands twice the first counts', async () => {
  const base = 'base-20261127T031700Z'
  const path = (...names: readonly string[]) => join(folder, HOST_PATH.backupFolder, base, ...names)
  mkdirSync(path(), { recursive: true })
  mkdirSync(join(folder, HOST_PATH.postgresFolder), { recursive: true })
  writeFileSync(path('base.json'), JSON.stringify({ systemId: '7400000000000000001' }, null, 2))
  const segments = ['000000010000000000000001', '000000010000000000000002'] as const
  const tars = [
    await packSegments([{ name: segments[0], bytes: Buffer.from('first') }]),
    await packSegments([
      { name: segments[0], bytes: Buffer.from('added later') },
      { name: segments[1], bytes: Buffer.from('second') },
    ]),
  ]
  writeFileSync(path('wal.tar'), Buffer.concat(tars))
  const { code, stderr } = await runHere(unpackLogCommand(base))
  assert.equal(code, 0, stderr)
  const wal = join(folder, HOST_PATH.walFolder, '7400000000000000001')
  assert.deepEqual(
    segments.map((name) => readFileSync(join(wal, `${name}.gz`), 'utf8')),
    ['first', 'second'],
  )
  assert.equal(statSync(join(wal, `${segments[0]}.gz`)).mode & 0o777, 0o600)
  assert.ok(!existsSync(path('wal.tar')))
})
