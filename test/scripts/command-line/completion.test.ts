/** Completion scripts know every verb, action and option, and bash answers with them. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { VERBS } from '../../../scripts/cli.ts'
import { optionsOf } from '../../../scripts/command-line/argument.ts'
import { renderCompletion, SHELLS } from '../../../scripts/command-line/completion.ts'
import { typeCommand } from '../command-line.ts'

describe('completion', () => {
  for (const shell of SHELLS) {
    test(`${shell} knows the whole table`, async () => {
      const typed = typeCommand(['completion', shell])
      assert.equal(await typed.code, 0)
      const script = typed.stdout()
      assert.equal(script, renderCompletion(shell, VERBS))
      const words = VERBS.flatMap((verb) => [
        verb.name,
        ...(verb.actions ?? []).map(({ name }) => name),
        ...optionsOf(verb).map(({ name }) => name),
      ])
      assert.deepEqual(
        words.filter((word) => !new RegExp(`(?<![\\w-]|[\\w]-)(--)?${word}(?![\\w-])`).test(script)),
        [],
      )
    })
  }

  test('another shell is a usage error', async () => {
    const typed = typeCommand(['completion', 'tcsh'])
    assert.equal(await typed.code, 64)
    assert.match(typed.stderr(), /needs one of bash, zsh, fish/)
  })

  /** The words typed (the last one is being completed), and what bash offers. */
  const rows: readonly (readonly [words: readonly string[], offered: readonly string[]])[] = [
    [['tappass', 'com'], ['completion']],
    [
      ['tappass', 'up', '--storage', ''],
      ['memory', 'local', 'supabase'],
    ],
    [['tappass', 'up', '--sto'], ['--storage']],
    [['tappass', 'up', '--port', ''], []],
    [['tappass', 'agent', 're'], ['revoke']],
    [['tappass', 'completion', 'z'], ['zsh']],
  ]
  for (const [words, offered] of rows) {
    test(`bash: ${words.join(' ')}`, () => {
      const script = `${renderCompletion('bash', VERBS)}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _tappass; printf '%s\\n' "\${COMPREPLY[@]}"`
      const { stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8' })
      assert.equal(stderr, '')
      assert.deepEqual(
        stdout.split('\n').filter((line) => line !== ''),
        offered,
      )
    })
  }
})
