/** Batches in a real shell: outputs told apart, cuts seen, forgeries harmless. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  changeScript,
  factScript,
  inScriptOrder,
  isBatchable,
  isComplete,
  parseBatch,
} from '../../../scripts/connection/batch.ts'
import type { Command } from '../../../scripts/core/host.ts'
import { here, scratch } from '../known-host.ts'

const nonce = 'a'.repeat(32)
const read = (...argv: [string, ...string[]]): Command => ({ argv, effect: 'read' })
const sh = (script: string): Command => read('sh', '-c', script)
const runScript = (script: string) => here({ argv: ['sh'], effect: 'read', stdin: script })

const questions: readonly Readonly<{ name: string; command: Command; answer: readonly [number, string, string] }>[] = [
  { name: 'an answer', command: read('printf', 'a\\n'), answer: [0, 'a\n', ''] },
  { name: 'no line end', command: read('printf', 'a'), answer: [0, 'a', ''] },
  { name: 'only line ends', command: read('printf', '\\n\\n'), answer: [0, '\n\n', ''] },
  { name: 'silence', command: read('true'), answer: [0, '', ''] },
  { name: 'a code', command: sh('exit 7'), answer: [7, '', ''] },
  { name: 'a signal', command: sh('kill -9 $$'), answer: [137, '', ''] },
  { name: 'both streams', command: sh('echo out; echo err >&2; exit 1'), answer: [1, 'out\n', 'err\n'] },
  { name: 'a tool that is missing', command: read('no-such-tool-here'), answer: [127, '', ''] },
  { name: 'nothing on standard input', command: read('cat'), answer: [0, '', ''] },
  { name: 'text on standard input', command: { ...read('cat'), stdin: "it's $x\n\n" }, answer: [0, "it's $x\n\n", ''] },
  { name: 'NULs', command: read('printf', 'a\\0b'), answer: [0, 'a\0b', ''] },
  { name: 'other scripts', command: read('printf', '%s', '世界'), answer: [0, '世界', ''] },
  {
    name: "a forged mark of another run's number",
    command: read('printf', `\\n${'b'.repeat(32)} 0 0\\n`),
    answer: [0, `\n${'b'.repeat(32)} 0 0\n`, ''],
  },
  {
    name: 'the far side is not what the controller is',
    command: sh('echo $LC_ALL $PATH'),
    answer: [0, 'C /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n', ''],
  },
]

test('questions: all are answered, each with its own output', async () => {
  const output = await runScript(
    factScript(
      questions.map(({ command }) => command),
      nonce,
    ),
  )
  assert.equal(isComplete(output, nonce), true)
  const answers = parseBatch(output, nonce, questions.length)
  assert.equal(answers.length, questions.length)
  for (const [index, { name, answer }] of questions.entries()) {
    const { code, stdout, stderr } = answers[index] ?? { code: -1, stdout: '', stderr: '' }
    assert.deepEqual([code, stdout, code > 126 ? '' : stderr], answer, name)
  }
})

test('questions: those that keep the host busy run beside the others, and each has its own output all the same', async () => {
  const long = questions.map(({ command, ...rest }) => ({ ...rest, command: { ...command, isLong: true } }))
  const both = inScriptOrder([...long, ...questions], ({ command }) => command)
  assert.deepEqual(both, [...questions, ...long])
  const output = await runScript(
    factScript(
      both.map(({ command }) => command),
      nonce,
    ),
  )
  assert.equal(isComplete(output, nonce), true)
  const answers = parseBatch(output, nonce, both.length)
  assert.equal(answers.length, both.length)
  for (const [index, { name, answer }] of both.entries()) {
    const { code, stdout, stderr } = answers[index] ?? { code: -1, stdout: '', stderr: '' }
    assert.deepEqual([code, stdout, code > 126 ? '' : stderr], answer, name)
  }
})

test('questions: one that keeps the host busy does run beside the others: each waits for the other', async (context) => {
  const folder = scratch(context)
  const meet = (mine: string, theirs: string) =>
    sh(`>${folder}/${mine}; until [ -e ${folder}/${theirs} ]; do sleep 0.01; done; echo met; echo said >&2`)
  const questionsThatMeet = [meet('one', 'other'), { ...meet('other', 'one'), isLong: true }]
  const answers = parseBatch(await runScript(factScript(questionsThatMeet, nonce)), nonce, 2)
  assert.deepEqual(answers, Array(2).fill({ code: 0, stdout: 'met\n', stderr: 'said\n' }))
})

test('questions: more than a pipe holds comes whole from both', async () => {
  const [lines, loud] = [sh('seq 1 60000'), sh('seq 1 60000; seq 1 60000 >&2')]
  const output = await runScript(
    factScript([lines, loud, { ...loud, isLong: true }, { ...lines, isLong: true }], nonce),
  )
  assert.equal(isComplete(output, nonce), true)
  const lengths = parseBatch(output, nonce, 4).map(({ stdout, stderr }) => [stdout.length, stderr.length])
  const all = 348_894
  assert.deepEqual(lengths, [
    [all, 0],
    [all, all],
    [all, all],
    [all, 0],
  ])
})

test('questions: bytes that are no text arrive, and do not look like a cut', async () => {
  const output = await runScript(factScript([read('printf', '\\377\\376x'), read('echo', 'next')], nonce))
  assert.equal(isComplete(output, nonce), true)
  assert.equal(parseBatch(output, nonce, 2)[1]?.stdout, 'next\n')
})

test('questions: an answer that was cut anywhere is seen', async () => {
  const output = await runScript(factScript([read('seq', '1', '2000'), read('echo', 'end')], nonce))
  const bytes = output.stdoutBytes ?? new Uint8Array()
  for (const share of [0, 0.3, 0.999]) {
    const stdoutBytes = bytes.subarray(0, Math.floor(bytes.length * share))
    const cut = { ...output, stdoutBytes, stdout: Buffer.from(stdoutBytes).toString() }
    assert.equal(isComplete(cut, nonce), false)
  }
  assert.equal(isComplete({ ...output, stderr: '' }, nonce), false)
})

test('a script that was cut off does nothing at all', async (context) => {
  const folder = scratch(context)
  const script = factScript([read('touch', `${folder}/a`), read('touch', `${folder}/b`)], nonce)
  for (const length of [script.length - 3, Math.floor(script.length / 2)]) await runScript(script.slice(0, length))
  assert.equal((await here(read('ls', folder))).stdout, '')
})

/** The guard's folder is root's; tests of whoever runs them get their own. */
const guardedIn = (folder: string, commands: readonly Command[]) =>
  changeScript(commands, nonce).replaceAll('/run/tappass-converge', `${folder}/guard`)

test('changes: one after the other, and none after one that failed', async (context) => {
  const folder = scratch(context)
  const commands = [sh('echo 1'), sh('echo 2 >&2; exit 3'), read('touch', `${folder}/never`)]
  const output = await runScript(guardedIn(folder, commands))
  assert.deepEqual(parseBatch(output, nonce, 3), [
    { code: 0, stdout: '1\n', stderr: '' },
    { code: 3, stdout: '', stderr: '2\n' },
  ])
  assert.equal((await here(read('ls', `${folder}/never`))).code, 2)
})

test('changes: one that is not finished at its deadline is ended, and none comes after it', async (context) => {
  const folder = scratch(context)
  const slow = { ...sh('echo begun; sleep 600'), deadlineMs: 200 }
  const output = await runScript(guardedIn(folder, [sh('echo 1'), slow, read('touch', `${folder}/never`)]))
  assert.deepEqual(parseBatch(output, nonce, 3), [
    { code: 0, stdout: '1\n', stderr: '' },
    { code: 124, stdout: 'begun\n', stderr: '' },
  ])
  assert.equal((await here(read('ls', `${folder}/never`))).code, 2)
})

test('changes: what an earlier run left running is waited for; what it started does not hold the guard', async (context) => {
  const folder = scratch(context)
  const slow = runScript(guardedIn(folder, [sh(`touch ${folder}/begun; sleep 0.5; echo slow >>${folder}/log`)]))
  while ((await here(read('ls', `${folder}/begun`))).code !== 0);
  await runScript(guardedIn(folder, [sh(`echo fast >>${folder}/log; sleep 5 >/dev/null 2>&1 &`)]))
  await slow
  assert.equal((await here(read('cat', `${folder}/log`))).stdout, 'slow\nfast\n')
  assert.equal((await here(read('flock', '-n', `${folder}/guard/changing`, 'true'))).code, 0)
})

const batchable = [
  [undefined, true],
  ['text', true],
  ['a\0b', false],
  [new Uint8Array(1), false],
  [{ open: async function* () {} }, false],
] as const

for (const [stdin, expected] of batchable) {
  test(`isBatchable: ${typeof stdin === 'object' ? 'bytes' : JSON.stringify(stdin)}`, () => {
    assert.equal(isBatchable({ ...read('cat'), ...(stdin === undefined ? {} : { stdin }) }), expected)
  })
}
