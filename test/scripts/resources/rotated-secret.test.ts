/** The end of a rotation: in which order the old value goes, that a killed run is completed, and that no value shows itself. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathFact } from '../../../scripts/facts/path.ts'
import { rotatedSecret } from '../../../scripts/resources/rotated-secret.ts'
import { argvOf, factReaderOf, factRow, planLines, scratch, traits } from '../known-host.ts'

const there = { kind: 'file', mode: '0600', owner: 'root', group: 'root', uid: 0, gid: 0, bytes: 9 } as const
const absent = { kind: 'absent' } as const
const [encrypted, plain] = ['/etc/credstore.encrypted/key-next', '/etc/credstore/key-next']

const rowsOf = (paths: readonly string[], credentialStore: 'encrypted' | 'plain' = 'encrypted') => [
  traits({ credentialStore }),
  ...[encrypted, plain].map((path) => factRow(pathFact(path), paths.includes(path) ? there : absent)),
]

const END = 'make the next value of key the only one, because all instances know it'

for (const [name, rows, wanted] of [
  ['nothing was begun', rowsOf([]), []],
  ['a next value is there', rowsOf([encrypted]), [END]],
  ['a next value is there, plain', rowsOf([plain], 'plain'), [END]],
  ['one that no unit reads', rowsOf([plain]), []],
] as const) {
  test(`rotated secret: ${name}`, async () => {
    assert.deepEqual(await planLines(rotatedSecret({ id: 'key' }), rows), wanted)
  })
}

/** The commands of the end of a rotation, with all paths in `folder`, and `docker` a program that keeps what it is told. */
const commandsIn = async (folder: string): Promise<readonly (() => void)[]> => {
  for (const name of ['credstore', 'unshown', 'revision', 'bin']) mkdirSync(join(folder, name))
  writeFileSync(join(folder, 'credstore/key'), 'old')
  writeFileSync(join(folder, 'credstore/key-next'), "new 'value'\n")
  writeFileSync(join(folder, 'unshown/key-next'), '')
  writeFileSync(join(folder, 'bin/docker'), `#!/bin/sh\necho "$@" >"${folder}/argv"; cat >"${folder}/sql"\n`, {
    mode: 0o755,
  })
  const changes = await rotatedSecret({ id: 'key', databaseRole: 'someone' }).plan(
    factReaderOf(rowsOf([plain], 'plain')),
  )
  const moved = (word: string) =>
    word
      .replaceAll('/etc/credstore', `${folder}/credstore`)
      .replaceAll('/var/lib/tappass/unshown', `${folder}/unshown`)
      .replaceAll('/run/tappass/revision', `${folder}/revision`)
      .replaceAll('/run/tappass-secret', `${folder}/tappass-secret`)
  return argvOf(changes).map((argv) => () => {
    const [program = '', ...args] = argv.map(moved)
    execFileSync(program, args, { env: { PATH: `${folder}/bin:${process.env['PATH']}` } })
  })
}

test('rotated secret: the database comes first, then the credential, and the next value goes last', async (context) => {
  const folder = scratch(context)
  const commands = await commandsIn(folder)
  const seen = () => ({
    current: readFileSync(join(folder, 'credstore/key'), 'utf8'),
    isStaged: existsSync(join(folder, 'credstore/key-next')),
    isTold: existsSync(join(folder, 'sql')),
    isRecorded: existsSync(join(folder, 'revision/key')),
  })
  const next = "new 'value'\n"
  const states = commands.map((run) => {
    run()
    return seen()
  })
  // A run that is killed after any of them but the last finds a next value, and does all of them again.
  assert.deepEqual(states, [
    { current: 'old', isStaged: true, isTold: true, isRecorded: false },
    { current: next, isStaged: true, isTold: true, isRecorded: false },
    { current: next, isStaged: true, isTold: true, isRecorded: true },
    { current: next, isStaged: false, isTold: true, isRecorded: true },
  ])
  assert.deepEqual(readdirSync(join(folder, 'unshown')), ['key'])
  const encoded = Buffer.from("new 'value'").toString('base64')
  const sql = readFileSync(join(folder, 'sql'), 'utf8')
  assert.match(sql, /^SET log_statement = none;\nSET log_min_error_statement = panic;/)
  assert.ok(sql.includes(`'someone'`) && sql.includes(`'${encoded}'`), sql)
  const argv = readFileSync(join(folder, 'argv'), 'utf8')
  assert.ok(!argv.includes(encoded) && !argv.includes('value'), argv)
})

test('rotated secret: a run that was killed in between is completed', async (context) => {
  for (const killedAfter of [1, 2, 3]) {
    const folder = join(scratch(context), 'host')
    mkdirSync(folder)
    const commands = await commandsIn(folder)
    for (const run of commands.slice(0, killedAfter)) run()
    for (const run of commands) run()
    assert.deepEqual(readdirSync(join(folder, 'credstore')), ['key'])
    assert.equal(readFileSync(join(folder, 'credstore/key'), 'utf8'), "new 'value'\n")
  }
})
