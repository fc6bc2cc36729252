/** Batched knowing: one round trip a turn, one process a kind, nothing asked twice, nothing believed that was cut. */
import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Fact, Runner } from '../../../scripts/core/host.ts'
import { accountFact, groupFact } from '../../../scripts/facts/account.ts'
import { knowing } from '../../../scripts/facts/fact-reader.ts'
import { hostTraitsFact } from '../../../scripts/facts/host-trait.ts'
import { packagesFact } from '../../../scripts/facts/package.ts'
import { contentFact, digestFact, pathFact, targetFact } from '../../../scripts/facts/path.ts'
import { recording } from '../../../scripts/runners/recording.ts'
import { here, nonce, scratch } from '../known-host.ts'

const echo = (text: string): Fact<string> => ({
  ask: { argv: ['printf', '%s', text], effect: 'read' },
  parse: ({ stdout }) => stdout,
})

test('knowing: all questions of one turn are one round trip', async () => {
  const { run, commands } = recording(here)
  const know = knowing(run, nonce)
  const words = Array.from({ length: 100 }, (_, index) => `n${index}`)
  assert.deepEqual(await Promise.all(words.map((word) => know(echo(word)))), words)
  assert.equal(commands.length, 1)
})

test('knowing: what was asked once is not asked again; a new look asks anew', async () => {
  const { run, commands } = recording(here)
  const know = knowing(run, nonce)
  await Promise.all([know(echo('a')), know(echo('a'))])
  await know(echo('a'))
  assert.equal(commands.length, 1)
  await knowing(run, nonce)(echo('a'))
  assert.equal(commands.length, 2)
})

test('knowing: questions of one kind share one process', async (context) => {
  const folder = scratch(context)
  const names = Array.from({ length: 50 }, (_, index) => join(folder, `it's "${index}"\nx`))
  for (const name of names) writeFileSync(name, name)
  const { run, commands } = recording(here)
  const know = knowing(run, nonce)
  const [states, digests] = await Promise.all([
    Promise.all(names.map((name) => know(pathFact(name)))),
    Promise.all(names.map((name) => know(digestFact(name)))),
  ])
  assert.equal(commands.length, 1)
  assert.ok(states.every(({ kind }) => kind === 'file'))
  assert.equal(new Set(digests).size, 50)
  const script = String(commands[0]?.stdin)
  assert.equal(script.split("stat '--printf").length - 1, 1)
  assert.equal(script.split('sha256sum -z').length - 1, 1)
})

test('knowing: paths, accounts, packages and traits of this very machine', async (context) => {
  const folder = scratch(context)
  writeFileSync(join(folder, 'file'), 'text\n', { mode: 0o640 })
  writeFileSync(join(folder, 'bytes'), Buffer.from([0xff, 0xfe]))
  mkdirSync(join(folder, 'directory'))
  symlinkSync("it's elsewhere", join(folder, 'link'))
  await here({ argv: ['mkfifo', join(folder, 'pipe')], effect: 'change' })
  const know = knowing(here, nonce)
  const at = (name: string) => join(folder, name)
  const kinds = await Promise.all(
    ['file', 'directory', 'link', 'pipe', 'none', 'none/below'].map((name) => know(pathFact(at(name)))),
  )
  assert.deepEqual(
    kinds.map(({ kind }) => kind),
    ['file', 'directory', 'link', 'other', 'absent', 'absent'],
  )
  const [digest, ofLink, ofPipe, target, noTarget, content, noText, root, nobody, group, packages, traits] =
    await Promise.all([
      know(digestFact(at('file'))),
      know(digestFact(at('link'))),
      know(digestFact(at('pipe'))),
      know(targetFact(at('link'))),
      know(targetFact(at('file'))),
      know(contentFact(at('file'))),
      know(contentFact(at('bytes'))),
      know(accountFact('root')),
      know(accountFact('no-such-account')),
      know(groupFact('root')),
      know(packagesFact),
      know(hostTraitsFact),
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
    message: /did not answer all questions/,
  },
  { name: 'no shell', run: async () => ({ code: 127, stdout: '', stderr: 'no sh here\n' }), message: /did not answer/ },
  { name: 'no connection', run: async () => await Promise.reject(new Error('gone')), message: /gone/ },
]

for (const { name, run, message } of broken) {
  test(`knowing: every question fails when the answer is ${name}`, async () => {
    const know = knowing(run, nonce)
    const settled = await Promise.allSettled([know(echo('a')), know(pathFact('/')), know(echo('b'))])
    for (const result of settled)
      assert.match(result.status === 'rejected' ? String(result.reason) : 'answered', message)
  })
}
