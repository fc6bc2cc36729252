/** The local runner: what commands say on this machine. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../../scripts/core/failure.ts'
import type { Command } from '../../../scripts/core/host.ts'
import { connectLocal } from '../../../scripts/runners/local.ts'
import { readOnly } from '../../../scripts/runners/read-only.ts'
import { recording } from '../recording.ts'

const { runAsUser: run } = connectLocal(true)
const sh = (script: string): Command => ({ argv: ['sh', '-c', script], effect: 'read' })

const rows = [
  ['both streams and a code', sh('echo out; echo err >&2; exit 3'), [3, 'out\n', 'err\n']],
  ['a signal', sh('kill -KILL $$'), [137, '', '']],
  ['nothing on standard input', sh('cat'), [0, '', '']],
  ['text on standard input', { ...sh('cat'), stdin: 'a\n\n' }, [0, 'a\n\n', '']],
  [
    'a source on standard input',
    {
      ...sh('cat'),
      stdin: {
        open: async function* () {
          yield Buffer.from('ab')
        },
      },
    },
    [0, 'ab', ''],
  ],
  ['input that is not read', { ...sh('exit 4'), stdin: 'x'.repeat(1_000_000) }, [4, '', '']],
  [
    'an environment of its own',
    sh('env | sort | grep -v "^PWD=\\|^_=\\|^SHLVL=\\|^OLDPWD="'),
    [0, 'HOME=/root\nLC_ALL=C\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n', ''],
  ],
] as const satisfies readonly (readonly [string, Command, readonly [number, string, string]])[]

for (const [name, command, expected] of rows) {
  test(`local: ${name}`, async () => {
    const { code, stdout, stderr } = await run(command)
    assert.deepEqual([code, stdout, stderr], expected)
  })
}

test('local: a program that is missing is a code, not an exception', async () => {
  assert.equal((await run({ argv: ['no-such-program-here'], effect: 'read' })).code, 127)
})

test('local: a source that fails is told as it failed', async () => {
  const open = async function* () {
    yield Buffer.from('x')
    throw new Failure({ what: 'the file changed' })
  }
  await assert.rejects(run({ ...sh('cat'), stdin: { open } }), { message: 'the file changed' })
})

test('local: a command that ends by itself is not waited for its input, which has no end', async () => {
  const open = async function* () {
    yield Buffer.from('')
    await new Promise(() => {})
  }
  // A handle of the test's own: with nothing left to do, the process would end before it is told.
  const timer = setTimeout(() => {}, 30_000)
  const { code, stdout } = await run({ ...sh('echo end; exit 3'), isStreamed: true, stdin: { open } })
  clearTimeout(timer)
  assert.deepEqual([code, stdout], [3, ''])
})

test('local: lines are heard as they come', async () => {
  const heard: string[] = []
  await run(sh('echo a; printf "b\\rc\\nend"'), (line) => heard.push(line))
  assert.deepEqual(heard, ['a', 'b', 'c', 'end'])
})

test('read-only: passes questions on, and no change', async () => {
  const { run: recorded, commands } = recording(run)
  const looking = readOnly(recorded)
  assert.equal((await looking(sh('exit 5'))).code, 5)
  await assert.rejects(looking({ ...sh('true'), effect: 'change' }), /may change the host/)
  assert.equal(commands.length, 1)
})
