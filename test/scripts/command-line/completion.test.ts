/** Completion scripts know every verb, action and option, and bash answers with them. Needs: bash. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { optionsOf } from '../../../scripts/command-line/argument.ts'
import { renderCompletion, SHELLS } from '../../../scripts/command-line/completion.ts'
import type { Verb } from '../../../scripts/command-line/verb.ts'
import { VERBS } from '../../../scripts/command-table.ts'
import { typeCommand } from '../command-line.ts'

type Words = Readonly<Record<string, readonly string[]>>

/** What each verb takes: its options, and the words that may follow it. */
const takenBy = (verb: Verb): readonly string[] => [
  ...(verb.actions?.map(({ name }) => name) ?? (verb.operands?.includes('|') === true ? verb.operands.split('|') : [])),
  ...optionsOf(verb).map(({ name }) => `--${name}`),
]
const table: Words = Object.fromEntries(VERBS.map((verb) => [verb.name, takenBy(verb).toSorted()]))

/** The words that bash offers after those that are typed; the last one is being completed. */
const offeredByBash = (...words: readonly string[]): readonly string[] => {
  const script = `${renderCompletion('bash', VERBS)}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _tappass; printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8' })
  assert.equal(stderr, '')
  return stdout.split('\n').filter((line) => line !== '')
}

/** What the scripts of SHELLS that are not at hand offer after each verb, read from their lines. */
const readers = {
  zsh: (script: string): Words =>
    Object.fromEntries(
      [...script.matchAll(/^ {2}([a-z]+)\) (?:actions=\((.*?)\); .*?; )?_arguments (.*) ;;$/gm)].map(
        ([, verb = '', actions = '', options = '']) => [
          verb,
          [...names(actions, /'([a-z]+):/g), ...names(options, /'\*?(--[a-z-]+)\[/g)].toSorted(),
        ],
      ),
    ),
  fish: (script: string): Words => {
    const lines = script.matchAll(/^complete -c tappass -n '__fish_seen_subcommand_from ([a-z]+)' -([la]) (\S+) -d /gm)
    const pairs = [...lines].map(([, verb = '', kind, name]) => [verb, kind === 'l' ? `--${name}` : `${name}`] as const)
    return Object.fromEntries(
      [...Map.groupBy(pairs, ([verb]) => verb)].map(([verb, found]) => [
        verb,
        found.map(([, name]) => name).toSorted(),
      ]),
    )
  },
} as const
const names = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, name = '']) => name)

describe('completion', () => {
  test('bash offers every verb, and after each what it takes, and nothing else', () => {
    assert.deepEqual(offeredByBash('tappass', ''), Object.keys(table))
    const offered = VERBS.map(({ name }) => [name, offeredByBash('tappass', name, '').toSorted()])
    assert.deepEqual(Object.fromEntries(offered), table)
  })
  for (const shell of ['zsh', 'fish'] as const) {
    test(`${shell} is told what each verb takes, and nothing else`, () =>
      assert.deepEqual(readers[shell](renderCompletion(shell, VERBS)), table))
  }
  for (const shell of SHELLS) {
    test(`the command prints the script of ${shell}`, async () => {
      const typed = typeCommand(['completion', shell])
      assert.equal(await typed.code, 0)
      assert.equal(typed.stdout(), renderCompletion(shell, VERBS))
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
    test(`bash: ${words.join(' ')}`, () => assert.deepEqual(offeredByBash(...words), offered))
  }
})
