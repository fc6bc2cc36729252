/** The command line itself: table, help, suggestions, exit codes; none of it loads a command. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { parseArguments } from '../../scripts/command-line/argument.ts'
import { nearest } from '../../scripts/command-line/suggestion.ts'
import type { Verb } from '../../scripts/command-line/verb.ts'
import { VERBS } from '../../scripts/command-table.ts'
import { typeCommand } from './command-line.ts'

/** What is typed, the exit code, and what must stand on stdout and stderr. */
const rows: readonly (readonly [words: readonly string[], code: number, stdout: RegExp, stderr: RegExp])[] = [
  [[], 64, /^$/, /Usage: tappass COMMAND/],
  [['--help'], 0, /Commands:[\s\S]*up [\s\S]*version/, /^$/],
  [['-h'], 0, /Usage: tappass COMMAND/, /^$/],
  [['help'], 0, /Usage: tappass COMMAND/, /^$/],
  [['help', 'up'], 0, /Usage: tappass up \[OPTION…\]/, /^$/],
  [['up', '--help'], 0, /--storage WHERE .*\(memory, local, supabase\)/, /^$/],
  [['up', '--port', 'x', '-h'], 0, /Usage: tappass up/, /^$/],
  [['--version'], 0, /^tappass \d+\.\d+\.\d+ \(Node \d/, /^$/],
  [['version', '--json'], 0, /^\{"tappass":"[\d.]+","node":"[\d.]+"\}\n$/, /^$/],
  [['verison'], 64, /^$/, /there is no command "verison"; did you mean "version"\?\n {2}next: {2}tappass version/],
  [['xyzzy'], 64, /^$/, /there is no command "xyzzy"\n {2}next: {2}tappass --help/],
  [['help', 'verzion'], 64, /^$/, /did you mean "version"/],
  [['up', '--storaeg', 'memory'], 64, /^$/, /"up" has no option "--storaeg"; did you mean "--storage"/],
  [['up', '-x'], 64, /^$/, /"up" has no option "-x"/],
  [['up', '--port'], 64, /^$/, /"--port" needs a value\n {2}next: {2}tappass up --port N/],
  [['up', '--json=yes'], 64, /^$/, /"--json" takes no value/],
  [['up', '--storage', 'memroy'], 64, /^$/, /not "memroy"\n {2}next: {2}tappass up --storage memory/],
  [['version', 'now'], 64, /^$/, /"version" takes no "now"/],
]

describe('command line', () => {
  for (const [words, code, stdout, stderr] of rows) {
    test(`tappass ${words.join(' ')}`, async () => {
      const typed = typeCommand(words)
      assert.equal(await typed.code, code)
      assert.match(typed.stdout(), stdout)
      assert.match(typed.stderr(), stderr)
    })
  }

  test('every command of the table can be loaded and run', async () => {
    for (const verb of VERBS) assert.equal(typeof (await verb.load()).run, 'function', verb.name)
  })

  test('help loads nothing but the table', () => {
    const root = join(import.meta.dirname, '../..')
    const probe = `
      import { registerHooks } from 'node:module'
      registerHooks({ load: (url, context, next) => { console.error(url); return next(url, context) } })
      process.argv = [process.argv[0], '${root}/scripts/cli.ts', '--help']
      const { main } = await import('${root}/scripts/cli.ts')
      await main(['up', '--help'], { environment: {}, stdout: process.stdout, stderr: process.stderr })`
    const { stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', probe], { encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    const loaded = stderr.split('\n').filter((line) => line.startsWith('file:'))
    assert.deepEqual(
      loaded.filter(
        (url) => !/(scripts\/(cli|command-table|(core|command-line)\/[\w-]+)|contract\/[\w-]+)\.ts$/.test(url),
      ),
      [],
    )
    assert.equal(loaded.length < 13, true, loaded.join('\n'))
  })
})

describe('arguments', () => {
  const table: readonly Verb[] = [
    {
      name: 'migrate',
      summary: 's',
      options: [{ name: 'host', value: 'H', summary: 's', isRepeatable: true }],
      actions: [
        { name: 'status', summary: 's' },
        { name: 'up', summary: 's', operands: 'FILE', options: [{ name: 'dry', summary: 's' }] },
      ],
    },
  ]
  const parsed = (...words: string[]) => {
    const { action, operands, options } = parseArguments(table, words)
    return { action, operands, options: { ...options } }
  }
  const says = (pattern: RegExp, ...words: string[]) =>
    assert.throws(() => parseArguments(table, words), { message: pattern })

  test('actions, operands and repeated options', () => {
    assert.deepEqual(parsed('migrate', 'up', '--host', 'x', '--host=y', '--', '--dry'), {
      action: 'up',
      operands: ['--dry'],
      options: { host: ['x', 'y'] },
    })
  })
  test('what is wrong with them', () => {
    says(/"migrate" needs one of status, up/, 'migrate')
    says(/"migrate" has no "statsu"/, 'migrate', 'statsu')
    says(/"migrate status" takes no "x"/, 'migrate', 'status', 'x')
    says(/"migrate up" needs one FILE/, 'migrate', 'up')
    says(/"migrate up" needs one FILE/, 'migrate', 'up', 'a', 'b')
    says(/"migrate" has no option "--dry"/, 'migrate', 'status', '--dry')
  })
  test('an action’s help', () => assert.equal(parseArguments(table, ['migrate', '--help']).isHelp, true))
})

describe('nearest word', () => {
  const words = ['up', 'bootstrap', 'plan', 'status', 'migrate']
  for (const [typed, meant] of [
    ['boostrap', 'bootstrap'],
    ['stauts', 'status'],
    ['boo', 'bootstrap'],
    ['pln', 'plan'],
    ['xyzzy', undefined],
    ['foo', undefined],
    ['plna', 'plan'],
  ] as const) {
    test(`${typed} means ${meant}`, () => assert.equal(nearest(typed, words), meant))
  }
})
