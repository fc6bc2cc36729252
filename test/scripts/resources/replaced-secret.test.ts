/** A secret whose earlier values are kept: when it is replaced, and that no run loses one, wherever it is killed. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Command } from '../../../scripts/core/host.ts'
import { type ReplacedSecretOptions, replacedSecret } from '../../../scripts/resources/replaced-secret.ts'
import { isSameFact, storedAtFact } from '../../../scripts/secrets/secret-fact.ts'
import { argvOf, factReaderOf, factRow, planLines, scratch, traits } from '../known-host.ts'

const value = Buffer.alloc(32, 3).toString('base64')
const sha256 = createHash('sha256').update(value).digest('hex')
const asked: ReplacedSecretOptions = {
  ...{ id: 'key', earlierId: 'key-earlier', generate: 'bytes32-base64' },
  ...{ provided: undefined, storedBefore: 1000 },
}
const handedIn: ReplacedSecretOptions = { ...asked, provided: { sha256, readValue: () => value } }

type Host = Readonly<{ storedAt?: number; isSame?: boolean }>

const rowsOf = ({ storedAt, isSame = false }: Host) => [
  traits({ credentialStore: 'plain' }),
  factRow(storedAtFact('key'), storedAt),
  factRow(isSameFact('key', sha256), isSame),
]

const ROWS: readonly Readonly<{ name: string; options: ReplacedSecretOptions; host: Host; because?: string }>[] = [
  { name: 'older', options: asked, host: { storedAt: 999 }, because: 'its rotation was asked for' },
  { name: 'stored by this very rotation', options: asked, host: { storedAt: 1000 } },
  { name: 'absent, which is not its business', options: asked, host: {} },
  {
    name: 'another one was provided',
    options: handedIn,
    host: { storedAt: 5000 },
    because: 'another value was provided',
  },
  { name: 'the same was provided', options: handedIn, host: { storedAt: 1, isSame: true } },
]

for (const { name, options, host, because } of ROWS) {
  test(`replaced secret: ${name}`, async () => {
    const wanted =
      because === undefined ? [] : [`replace the secret key, and keep the earlier value, because ${because}`]
    assert.deepEqual(await planLines(replacedSecret(options), rowsOf(host)), wanted)
  })
}

const commandsOf = async (options: ReplacedSecretOptions): Promise<readonly Command[]> =>
  (await replacedSecret(options).plan(factReaderOf(rowsOf({ storedAt: 1 })))).flatMap(({ commands }) => commands)

/** A folder in the place of /etc, and what runs a command there. */
const place = (context: TestContext) => {
  const folder = scratch(context)
  mkdirSync(join(folder, 'credstore'))
  const run = ({ argv: [program = '', flags = '', script = '', ...args], stdin }: Command): number | null => {
    const moved = [script.replaceAll('/run/', `${folder}/`), ...args].map((word) => word.replaceAll('/etc', folder))
    return spawnSync(program, [flags, ...moved], { input: typeof stdin === 'string' ? stdin : '' }).status
  }
  const read = (id: string): string => readFileSync(join(folder, 'credstore', id), 'utf8')
  const write = (id: string, text: string): void => writeFileSync(join(folder, 'credstore', id), text)
  return { folder, run, read, write }
}

test('replaced secret: three rotations keep all values, the newest first; one that was killed in between and goes on keeps none twice', async (context) => {
  const { folder, run, read, write } = place(context)
  write('key', 'first')
  const [keep, generate] = (await commandsOf(asked)) as [Command, Command]
  assert.deepEqual([run(keep), read('key'), read('key-earlier')], [0, 'first', 'first\n'])
  // Killed here, and run again.
  assert.deepEqual([run(keep), run(generate), read('key-earlier')], [0, 0, 'first\n'])
  const second = read('key')
  assert.equal(Buffer.from(second, 'base64').length, 32)
  const [, provide] = (await commandsOf(handedIn)) as [Command, Command]
  assert.deepEqual([run(keep), run(provide), read('key')], [0, 0, value])
  assert.equal(read('key-earlier'), `${second}\nfirst\n`)
  // The second one again: it is not kept twice, and the one that goes is the newest of those that are kept.
  write('key', second)
  assert.deepEqual([run(keep), read('key-earlier')], [0, `${second}\nfirst\n`])
  assert.deepEqual(readdirSync(folder), ['credstore'])
})

test('replaced secret: where the current value or those that are kept can not be read, nothing is stored', async (context) => {
  const { folder, run, read, write } = place(context)
  const [keep] = (await commandsOf(asked)) as [Command]
  assert.notEqual(run(keep), 0)
  assert.equal(existsSync(join(folder, 'credstore/key-earlier')), false)
  write('key', '')
  assert.notEqual(run(keep), 0)
  write('key', 'first')
  mkdirSync(join(folder, 'credstore/key-earlier'))
  assert.notEqual(run(keep), 0)
  assert.equal(read('key'), 'first')
})

test('replaced secret: no value is in an argument, and what goes is kept before what comes', async () => {
  const commands = await commandsOf(handedIn)
  assert.deepEqual(
    commands.map(({ argv }) => argv.slice(4)),
    [
      ['key-earlier', '/etc/credstore/key-earlier', 'plain', ''],
      ['key', '/etc/credstore/key', 'plain', ''],
    ],
  )
  const changes = await replacedSecret(handedIn).plan(factReaderOf(rowsOf({ storedAt: 1 })))
  assert.equal(JSON.stringify(argvOf(changes)).includes(value), false)
  assert.equal(commands[1]?.isSecret, true)
})
