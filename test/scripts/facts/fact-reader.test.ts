/** Batched facts: one round trip for each turn, one process for each kind, no query twice, no truncated answer accepted. */
import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Failure } from '../../../scripts/core/failure.ts'
import type { Fact, Runner } from '../../../scripts/core/host.ts'
import { accountFact, groupFact } from '../../../scripts/facts/account.ts'
import { createFactReader } from '../../../scripts/facts/fact-reader.ts'
import { hostTraitsFact } from '../../../scripts/facts/host-trait.ts'
import { packagesFact } from '../../../scripts/facts/package.ts'
import { contentFact, digestFact, pathFact, targetFact } from '../../../scripts/facts/path.ts'
import { here, nonce, scratch } from '../known-host.ts'
import { recording } from '../recording.ts'

const echo = (text: string): Fact<string> => ({
  query: { argv: ['printf', '%s', text], effect: 'read' },
  parse: ({ stdout }) => stdout,
})

test('fact reader: all questions of one turn are one round trip', async () => {
  const { run, commands } = recording(here)
  const getFact = createFactReader(run, nonce)
  const words = Array.from({ length: 100 }, (_, index) => `n${index}`)
  assert.deepEqual(await Promise.all(words.map((word) => getFact(echo(word)))), words)
  assert.equal(commands.length, 1)
})

test('fact reader: a fact is queried once; a new reader queries it again', async () => {
  const { run, commands } = recording(here)
  const getFact = createFactReader(run, nonce)
  await Promise.all([getFact(echo('a')), getFact(echo('a'))])
  await getFact(echo('a'))
  assert.equal(commands.length, 1)
  await createFactReader(run, nonce)(echo('a'))
  assert.equal(commands.length, 2)
})

test('fact reader: questions of one kind share one process', async (context) => {
  const folder = scratch(context)
  const names = Array.from({ length: 50 }, (_, index) => join(folder, `it's "${index}"\nx`))
  for (const name of names) writeFileSync(name, name)
  const { run, commands } = recording(here)
  const getFact = createFactReader(run, nonce)
  const [states, digests] = await Promise.all([
    Promise.all(names.map((name) => getFact(pathFact(name)))),
    Promise.all(names.map((name) => getFact(digestFact(name)))),
  ])
  assert.equal(commands.length, 1)
  assert.ok(states.every(({ kind }) => kind === 'file'))
  assert.equal(new Set(digests).size, 50)
  const script = String(commands[0]?.stdin)
  assert.equal(script.split("stat '--printf").length - 1, 1)
  assert.equal(script.split('sha256sum -z').length - 1, 1)
})

test('fact reader: paths, accounts, packages and traits of this very machine', async (context) => {
  const folder = scratch(context)
  writeFileSync(join(folder, 'file'), 'text\n', { mode: 0o640 })
  writeFileSync(join(folder, 'bytes'), Buffer.from([0xff, 0xfe]))
  mkdirSync(join(folder, 'directory'))
  symlinkSync("it's elsewhere", join(folder, 'link'))
  await here({ argv: ['mkfifo', join(folder, 'pipe')], effect: 'change' })
  const getFact = createFactReader(here, nonce)
  const at = (name: string) => join(folder, name)
  const kinds = await Promise.all(
    ['file', 'directory', 'link', 'pipe', 'none', 'none/below'].map((name) => getFact(pathFact(at(name)))),
  )
  assert.deepEqual(
    kinds.map(({ kind }) => kind),
    ['file', 'directory', 'link', 'other', 'absent', 'absent'],
  )
  const [digest, ofLink, ofPipe, target, noTarget, content, noText, root, nobody, group, packages, traits] =
    await Promise.all([
      getFact(digestFact(at('file'))),
      getFact(digestFact(at('link'))),
      getFact(digestFact(at('pipe'))),
      getFact(targetFact(at('link'))),
      getFact(targetFact(at('file'))),
      getFact(contentFact(at('file'))),
      getFact(contentFact(at('bytes'))),
      getFact(accountFact('root')),
      getFact(accountFact('no-such-account')),
      getFact(groupFact('root')),
      getFact(packagesFact),
      getFact(hostTraitsFact),
    ])
  assert.equal(digest, 'b9e68e1bea3e5b19ca6b2f98b73a54b73daafaa250484902e09982e07a12e733')
  assert.deepEqual(
    [ofLink, ofPipe, target, noTarget, content, noText],
    [undefined, undefined, "it's elsewhere", undefined, 'text\n', undefined],
  )
  assert.deepEqual([root?.uid, nobody, group?.gid], [0, undefined, 0])
  assert.equal(packages.byName.get('libc6')?.status, 'ii')
  assert.match(traits.platform, /^linux-/)
})

const broken: readonly Readonly<{ name: string; run: Runner; message: RegExp }>[] = [
  {
    name: 'cut in the middle',
    run: async (command) => {
      const output = await here(command)
      const stdoutBytes = output.stdoutBytes?.subarray(0, -20) ?? new Uint8Array()
      return { ...output, stdoutBytes, stdout: Buffer.from(stdoutBytes).toString() }
    },
    message: /the answer of the host was incomplete/,
  },
  {
    name: 'no shell',
    run: async () => ({ code: 127, stdout: '', stderr: 'no sh here\n' }),
    message: /printed text of its own/,
  },
  {
    name: 'a forced command',
    run: async () => ({
      code: 142,
      stdout: 'Please login as the user "ubuntu" rather than the user "root".\n',
      stderr: '',
    }),
    message: /printed text of its own/,
  },
  { name: 'no connection', run: async () => await Promise.reject(new Error('gone')), message: /gone/ },
]

for (const { name, run, message } of broken) {
  test(`fact reader: every query fails when the answer is ${name}`, async () => {
    const getFact = createFactReader(run, nonce)
    const settled = await Promise.allSettled([getFact(echo('a')), getFact(pathFact('/')), getFact(echo('b'))])
    for (const result of settled)
      assert.match(result.status === 'rejected' ? String(result.reason) : 'answered', message)
  })
}

test('fact reader: text of the host is shown, and its advice becomes the next command', async () => {
  const stdout = 'Please login as the user "ubuntu" rather than the user "root".\n'
  await assert.rejects(createFactReader(async () => ({ code: 142, stdout, stderr: '' }), nonce)(echo('a')), (error) => {
    const { why, next } = (error as Failure).text
    assert.deepEqual([why, next], [stdout.trim(), 'connect as that user: --host ubuntu@…'])
    assert.equal((error as Failure).code, 6)
    return true
  })
})

test('fact reader: what the host prints cannot steer the terminal', async () => {
  const stdout = '\x1b]0;owned\x07welcome \x1b[31mred\x9b2J\n'
  await assert.rejects(createFactReader(async () => ({ code: 1, stdout, stderr: '' }), nonce)(echo('a')), (error) => {
    assert.doesNotMatch((error as Failure).text.why ?? '', /\p{Cc}/u)
    assert.match((error as Failure).text.why ?? '', /welcome/)
    return true
  })
})

test('fact reader: a question that is never answered is named, and so is the time', async () => {
  const soon = <T>(fact: Fact<T>): Fact<T> => ({ ...fact, query: { ...fact.query, deadlineMs: 500 } })
  const wedged: Fact<string> = { query: { argv: ['tail', '-f', '/dev/null'], effect: 'read' }, parse: () => 'never' }
  const getFact = createFactReader(here, nonce)
  const settled = await Promise.allSettled([echo('a'), wedged, echo('b')].map((fact) => getFact(soon(fact))))
  for (const result of settled) {
    assert.ok(result.status === 'rejected')
    const { text } = result.reason as Failure
    assert.equal(text.what, 'the host did not answer within 0.5 s')
    assert.equal(text.why, 'no answer to: tail -f /dev/null')
  }
})
