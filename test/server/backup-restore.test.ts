/** Restoring over a real PostgreSQL: into a database beside, compared, then swapped; what is refused and why; and SIGKILL at every point. Needs: postgres. On one Node: the one of servers. */
import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto'
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { recoveryPair } from '../../contract/recovery-key.ts'
import { signManifest } from '../../server/backups/manifest.ts'
import { createNoteSigner } from '../../server/checkpoint/signed-note.ts'
import { demand } from '../lab/execution.ts'
import { createTestHost, type TestHost, unsealed, writeChain } from './backup-host.ts'

let host: TestHost
let set: string
before(async () => {
  host = await createTestHost()
  assert.equal((await host.run('create')).code, 0)
  set = readdirSync(host.backups)[0] ?? ''
})
after(() => host.dispose())

const databases = async () => (await host.server.superuser('SELECT datname FROM pg_database ORDER BY 1')).split('\n')
const entries = async (database = 'tappass') =>
  Number(await host.server.superuser('SELECT count(*) FROM audit_events', database))
/** Back to one database: the one in force. */
afterEach(async () => {
  host.useTools({})
  for (const name of await databases()) if (/^tappass_/.test(name)) await host.server.superuser(`DROP DATABASE ${name}`)
  for (const name of readdirSync(host.backups))
    if (name !== set) rmSync(join(host.backups, name), { recursive: true, force: true })
})

/** A copy of the set under a name of its own, changed. */
const changed = (change: (folder: string) => void): string => {
  const name = 'tappass-20300101T000000Z'
  cpSync(join(host.backups, set), join(host.backups, name), { recursive: true })
  change(join(host.backups, name))
  return name
}
const edit = (folder: string, file: string, change: (bytes: Buffer) => Buffer): void =>
  writeFileSync(join(folder, file), change(readFileSync(join(folder, file))))
const flip = (bytes: Buffer): Buffer => {
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
  return bytes
}
const sign = (folder: string, change: (manifest: Record<string, unknown>) => void): void => {
  const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'))
  change(manifest)
  const text = JSON.stringify(manifest)
  writeFileSync(join(folder, 'manifest.json'), text)
  const signer = createNoteSigner(readFileSync(join(host.credentials, 'tappass-checkpoint-key'), 'utf8'))
  writeFileSync(join(folder, 'manifest.json.sig'), signManifest(signer, manifest.name, text))
}

test('restore: in place of the database in force, which is kept; calls since are in that one, and its checkpoints beside it', async () => {
  const before = await entries()
  await writeChain(host, 5)
  const { code, stdout, stderr } = await host.run('restore', set, '--by', 'ada@desk')
  assert.deepEqual([code, stderr], [0, ''])
  const kept = (await databases()).find((name) => name.startsWith('tappass_before_')) ?? ''
  // The ledger has the restoration itself, in a chain of three.
  assert.deepEqual([await entries(), await entries(kept)], [before + 3, before + 7])
  const entry = await host.server.superuser(
    `SELECT entry::json->'details' FROM audit_events WHERE event_type = 'database.restored'`,
    'tappass',
  )
  const { set: from, by, entries_lost: lost, earlier } = JSON.parse(entry)
  assert.deepEqual([from, by, lost, earlier], [set, 'ada@desk', 7, kept])
  assert.match(stdout, /^7 entries of the ledger are in the earlier database only$/m)
  assert.match((await host.run('list')).stdout, new RegExp(`^${kept}  \\d+ bytes  -  out of force since 20`, 'm'))
  assert.equal((await host.run('prune')).code, 0)
  assert.ok((await databases()).includes(kept), 'it is not old enough')
  assert.match(stdout, new RegExp(`is kept as ${kept}`))
  const checkpoints = readdirSync(join(host.root, 'var/lib/tappass/checkpoints'), { recursive: true }).map(String)
  assert.equal(checkpoints.filter((name) => name.endsWith('.checkpoint')).length, 2)
  assert.ok(checkpoints.filter((name) => name.endsWith('.checkpoint')).every((name) => name.startsWith('before-')))
  assert.deepEqual(
    host
      .calls()
      .slice(-2)
      .map((line) => line.split(' ').slice(0, 3).join(' ')),
    ['systemctl stop tappass*.socket', 'systemctl start tappass.target'],
  )
  const owners = await host.server.superuser(
    `SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'`,
    'tappass',
  )
  assert.equal(owners, 'tappass_owner')
})

test('restore --first: the empty database of a new host goes, once; on any other host it is refused', async () => {
  const note = join(host.backups, '.founding')
  const refused = await host.run('restore', set, '--first')
  assert.equal(refused.code, 5)
  assert.match(refused.stderr, /is not being made from/)
  for (const place of ['', 'BEGIN; ALTER DATABASE', 'systemctl start']) {
    writeFileSync(note, `${set}\n`)
    if (place === '') assert.equal((await host.run('restore', set, '--first')).code, 0)
    else {
      assert.notEqual((await host.killOnce(place, 'restore', set, '--first')).code, 0)
      assert.equal((await host.run('settle')).code, 0)
    }
    assert.deepEqual(
      [(await databases()).filter((name) => /_(before|restored)/.test(name)), existsSync(note)],
      [[], false],
      place,
    )
  }
})

test('restore: beside the one in force, under a name; nothing is stopped', async () => {
  const { code } = await host.run('restore', set, '--database', 'tappass_look')
  assert.equal(code, 0)
  assert.deepEqual([await entries('tappass_look'), host.calls()], [402, []])
  const again = await host.run('restore', set, '--database', 'tappass_look')
  assert.equal(again.code, 1)
  assert.match(again.stderr, /there is a database tappass_look already/)
})

type Row = Readonly<{ name: string; change: (folder: string) => void; says: RegExp; words?: readonly string[] }>
const refused: readonly Row[] = [
  {
    name: 'a flipped byte in the dump',
    change: (folder) => edit(folder, 'database.dump', flip),
    says: /database\.dump is not what was written/,
  },
  {
    name: 'a dump that was cut',
    change: (folder) => edit(folder, 'database.dump', (bytes) => bytes.subarray(0, bytes.length * 0.36)),
    says: /database\.dump has \d+ bytes, and \d+ were written/,
  },
  {
    name: 'a file that is missing',
    change: (folder) => rmSync(join(folder, 'ledger.json')),
    says: /ledger\.json is missing/,
  },
  {
    name: 'a manifest that was changed',
    change: (folder) =>
      edit(folder, 'manifest.json', (bytes) => Buffer.from(bytes.toString().replace('"rows": {', '"rows":  {'))),
    says: /signature is not one of this host/,
  },
  {
    name: 'no manifest',
    change: (folder) => rmSync(join(folder, 'manifest.json')),
    says: /incomplete: manifest\.json is missing/,
  },
  {
    name: 'no signature',
    change: (folder) => rmSync(join(folder, 'manifest.json.sig')),
    says: /incomplete: manifest\.json\.sig is missing/,
  },
  {
    name: 'another vault key',
    change: (folder) =>
      sign(folder, (manifest) => {
        manifest['fingerprints'] = { 'tappass-vault-key': 'a'.repeat(64) }
      }),
    says: /another vault key[\s\S]*next: .*secrets\.age.*tappass secrets rotate tappass-vault-key --secret/,
  },
  {
    name: 'a newer schema',
    change: (folder) =>
      sign(folder, (manifest) => {
        manifest['schema'] = '999'
      }),
    says: /schema 999, and this release knows \d+[\s\S]*next: upgrade/,
  },
]
for (const { name, change, says } of refused)
  test(`restore: ${name} is refused before anything is done`, async () => {
    const there = await databases()
    for (const words of [['--check'], []]) {
      const { code, stderr } = await host.run('restore', changed(change), ...words)
      assert.equal(code, 5, stderr)
      assert.match(stderr, says)
      rmSync(join(host.backups, 'tappass-20300101T000000Z'), { recursive: true })
    }
    assert.deepEqual([await databases(), host.calls()], [there, []])
  })

test('restore: a set that was taken with an earlier vault key of this host is restored, and another one is refused as before', async () => {
  const [key, ring] = ['tappass-vault-key', 'tappass-vault-key-earlier'].map((id) => join(host.credentials, id))
  const first = readFileSync(key as string, 'utf8')
  const newKey = () => randomBytes(32).toString('base64')
  // A backup of the same day takes its place.
  const aside = join(host.root, 'aside')
  cpSync(join(host.backups, set), aside, { recursive: true })
  try {
    writeFileSync(key as string, newKey())
    assert.match((await host.run('restore', set, '--check')).stderr, /another vault key/)
    for (const [kept, code] of [
      [`${newKey()}\n${first}\n`, 0],
      [`${newKey()}\n`, 5],
    ] as const) {
      writeFileSync(ring as string, kept)
      const { code: found, stdout, stderr } = await host.run('restore', set, '--check')
      assert.equal(found, code, stderr)
      if (code === 0)
        assert.match(stdout, /^note: it was taken with an earlier vault key of this host, which is kept$/m)
    }
    writeFileSync(ring as string, `${first}\n`)
    const restored = await host.run('restore', set, '--database', 'tappass_earlier')
    assert.deepEqual([restored.code, restored.stderr], [0, ''])
    const { recipient, identity } = recoveryPair(generateKeyPairSync('x25519').privateKey)
    assert.equal((await host.run('create', '--recovery-key', recipient)).code, 0)
    const [name = ''] = readdirSync(host.backups).filter((each) => each.startsWith('tappass-'))
    const newest = join(host.backups, name)
    const printOf = (folder: string) =>
      JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')).fingerprints['tappass-vault-key']
    assert.notEqual(printOf(newest), printOf(aside))
    const sealed = await unsealed(join(newest, 'secrets.age'), identity)
    assert.equal(sealed['tappass-vault-key-earlier'], `${first}\n`)
  } finally {
    writeFileSync(key as string, first)
    rmSync(ring as string, { force: true })
    cpSync(aside, join(host.backups, set), { recursive: true })
  }
})

const dumpWith = async (file: string, ...words: readonly string[]): Promise<string> => {
  const path = join(host.root, file)
  const login = ['--host', host.server.folder, '--port', `${host.server.port}`, '--username', 'postgres']
  await demand([host.server.program('pg_dump'), ...login, '--file', path, ...words, 'tappass'])
  return path
}

test('restore: a dump in either form, told by its first bytes, belongs to the owner of the tables', async () => {
  for (const format of ['custom', 'plain']) {
    const path = await dumpWith(`any.${format}`, '--format', format)
    const { code, stderr } = await host.run('restore', path, '--database', `tappass_${format}`)
    assert.deepEqual([code, stderr], [0, ''])
    const content = `SELECT md5(string_agg(entry || hash, '' ORDER BY chain, seq)) FROM audit_events; SELECT relname, pg_get_userbyid(relowner), string_agg(p, ' ' ORDER BY p)
      FROM pg_class, unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,TRIGGER}'::text[]) p
      WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND has_table_privilege('tappass', pg_class.oid, p) GROUP BY 1, 2 ORDER BY 1`
    assert.equal(
      await host.server.superuser(content, `tappass_${format}`),
      await host.server.superuser(content, 'tappass'),
      format,
    )
  }
})

const foreign: readonly Readonly<{ name: string; text: (plain: string) => string; code: number; says: RegExp }>[] = [
  {
    name: 'a program that a line for psql names is not run',
    text: (plain) => `${plain}\n\\! touch RAN\n`,
    code: 1,
    says: /a line for psql, which is not run/,
  },
  {
    name: 'a text that breaks off within rows',
    text: (plain) => plain.slice(0, plain.indexOf('\n', plain.indexOf('COPY public.audit_events')) + 900),
    code: 1,
    says: /breaks off within the rows/,
  },
  { name: 'no dump at all', text: () => 'hello, this is a letter', code: 5, says: /neither an archive/ },
]
for (const { name, text, code, says } of foreign)
  test(`restore: ${name}`, async () => {
    const path = await dumpWith('plain.sql', '--format', 'plain')
    writeFileSync(path, text(readFileSync(path, 'utf8')))
    const there = await databases()
    const output = await host.run('restore', path)
    assert.equal(output.code, code)
    assert.match(output.stderr, says)
    assert.deepEqual([await databases(), existsSync('RAN'), host.calls()], [there, false, []])
  })

test('restore: a backup of a release before 0.13, by its name', async () => {
  const name = 'tappass-20200101T031700Z'
  const path = await dumpWith('old.dump', '--format', 'custom')
  cpSync(path, join(host.backups, `${name}.dump`))
  const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex')
  const manifest = { format: 1, sha256, schema: '12', release: '0.12.0', takenAt: '2020-01-01T03:17:00Z' }
  writeFileSync(join(host.backups, `${name}.json`), JSON.stringify(manifest))
  const { code, stderr } = await host.run('restore', name, '--database', 'tappass_old')
  assert.deepEqual([code, stderr], [0, ''])
  edit(host.backups, `${name}.dump`, flip)
  const damaged = await host.run('restore', name, '--check')
  assert.equal(damaged.code, 5)
  assert.match(damaged.stderr, /not the dump that its manifest is of/)
})

for (const place of [
  'CREATE DATABASE tappass_restored',
  'pg_restore',
  'systemctl stop',
  'RENAME TO',
  'systemctl start',
])
  test(`restore: SIGKILL at "${place}": one whole database is in force, and the next run comes to the end`, async () => {
    const before = await entries()
    await writeChain(host, 3)
    const killed = await host.killOnce(place, 'restore', set)
    assert.notEqual(killed.code, 0)
    const found = await entries()
    assert.ok(found === before || found > before)
    assert.equal((await host.run('settle')).code, 0)
    assert.equal(existsSync(join(host.backups, '.restore.json')), false)
    const { code, stderr } = await host.run('restore', set)
    assert.deepEqual([code, stderr], [0, ''])
    assert.equal(await entries(), before)
    assert.ok(!(await databases()).includes('tappass_restored'))
  })
