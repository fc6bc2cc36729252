/** Root through sudo: with -n first, a password on standard input only where one is wanted, refusals told. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asRoot, sudoDenial, withSudo } from '../../../scripts/connection/sudo.ts'
import type { Command, Output, Runner, Stdin } from '../../../scripts/core/host.ts'

const refusals: readonly Readonly<{ name: string; output: Output; isRefusal: boolean }>[] = [
  {
    name: 'a password is wanted',
    output: { code: 1, stdout: '', stderr: 'sudo: a password is required\n' },
    isRefusal: true,
  },
  {
    name: 'not in sudoers',
    output: {
      code: 1,
      stdout: '',
      stderr: 'ada is not in the sudoers file.\nThis incident has been reported.\n',
    },
    isRefusal: true,
  },
  {
    name: 'may not run',
    output: { code: 1, stdout: '', stderr: 'Sorry, user ada may not run sudo on host.\n' },
    isRefusal: true,
  },
  { name: 'no sudo at all', output: { code: 127, stdout: '', stderr: 'sh: 1: sudo: not found\n' }, isRefusal: true },
  {
    name: 'env of another system',
    output: { code: 127, stdout: '', stderr: "env: 'sudo': No such file or directory\n" },
    isRefusal: true,
  },
  {
    name: 'the command itself failed',
    output: { code: 1, stdout: '', stderr: 'grep: a password is required\n' },
    isRefusal: false,
  },
  { name: 'it ran', output: { code: 0, stdout: '', stderr: 'sudo: a password is required\n' }, isRefusal: false },
]

for (const { name, output, isRefusal } of refusals) {
  test(`sudoRefusal: ${name}`, () => assert.equal(sudoDenial(output) !== undefined, isRefusal))
}

const textOf = async (stdin: Stdin | undefined): Promise<string> => {
  if (stdin === undefined || typeof stdin === 'string') return stdin ?? ''
  if (stdin instanceof Uint8Array) return Buffer.from(stdin).toString()
  let text = ''
  for await (const chunk of stdin.open()) text += Buffer.from(chunk).toString()
  return text
}

const word = ['correct', 'horse'].join('-')

/** Behaves as sudo does: -n refuses, -S reads one line; what is left is the command's. */
const sudo =
  (heard: string[]): Runner =>
  async ({ argv, stdin }: Command) => {
    heard.push(argv.join(' '))
    if (argv[1] === '-n') return { code: 1, stdout: '', stderr: 'sudo: a password is required\n' }
    const [first, ...rest] = (await textOf(stdin)).split('\n')
    if (first !== word)
      return { code: 1, stdout: '', stderr: 'sudo: no password was provided\nsudo: 1 incorrect password attempt\n' }
    return { code: 0, stdout: rest.join('\n'), stderr: '' }
  }

const command: Command = { argv: ['cat'], effect: 'read', stdin: 'line 1\nline 2\n' }

test('asRoot: the password is asked for once, tried on nothing of value, and never an argument', async () => {
  const heard: string[] = []
  let asked = 0
  const run = asRoot(sudo(heard), async () => {
    asked++
    return word
  })
  assert.equal((await run(command)).stdout, 'line 1\nline 2\n')
  assert.equal((await run({ ...command, stdin: Buffer.from('bytes') })).stdout, 'bytes')
  assert.equal((await run({ argv: ['true'], effect: 'read' })).stdout, '')
  assert.equal(asked, 1)
  assert.match(heard[1] ?? '', / true$/)
  assert.ok(heard.every((line) => !line.includes(word)))
})

test('asRoot: a wrong password is a refusal, and the script was never sent after it', async () => {
  const heard: string[] = []
  const run = asRoot(sudo(heard), async () => 'wrong')
  await assert.rejects(run(command), { name: 'Failure', code: 5 })
  assert.equal(heard.length, 2)
})

test('asRoot: nobody to ask is a refusal in the words of sudo', async () => {
  await assert.rejects(
    asRoot(sudo([]))(command),
    (error: Error & { text: { why: string } }) => error.text.why === 'sudo: a password is required',
  )
})

test('underSudo: what the far side sees does not depend on its sudoers', () => {
  assert.deepEqual(withSudo({ argv: ['id'], effect: 'read' }).argv.slice(0, 4), ['sudo', '-n', '--', 'env'])
  assert.ok(withSudo({ argv: ['id'], effect: 'read' }, word).argv.includes('-k'))
})
