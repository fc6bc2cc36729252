/** Commands that messages tell to type: each can be typed, and stands as it was typed. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { renderProcessHints } from '../../../scripts/command-line/command-hint.ts'
import { COMMON_OPTIONS } from '../../../scripts/command-line/option.ts'
import { VERBS } from '../../../scripts/command-table.ts'

const root = join(import.meta.dirname, '../../..')
const [migrate, audit] = ['migrate', 'audit'].map((name) => VERBS.find((verb) => verb.name === name))

const rows = [
  ['on this machine', {}, './tappass', '  next: tappass migrate up', '  next: ./tappass migrate up'],
  ['on a server', {}, 'tappass', '  next: tappass migrate up', '  next: tappass migrate up'],
  [
    'on a host',
    { host: ['root@a'], json: true },
    './tappass',
    '  next: wait for it, then tappass migrate status\n',
    '  next: wait for it, then ./tappass migrate status --host root@a\n',
  ],
  [
    'in a data folder with a blank',
    { data: 'my data' },
    "'/srv/a b/tappass'",
    '  next: tappass migrate baseline, which finds it',
    "  next: '/srv/a b/tappass' migrate baseline --data 'my data', which finds it",
  ],
  ['no hint', { host: ['a'] }, './tappass', 'tappass migrate up\n{"next":"x"}', 'tappass migrate up\n{"next":"x"}'],
] as const

for (const [name, options, program, text, typed] of rows) {
  test(`hint of a process: ${name}`, () => {
    assert.equal(renderProcessHints({ options, program, verb: migrate as NonNullable<typeof migrate> }, text), typed)
  })
}

test('hint of a process: a command of another verb gets the program, not the hosts', () => {
  const invocation = { options: { host: ['a'] }, program: './tappass', verb: audit as NonNullable<typeof audit> }
  assert.equal(renderProcessHints(invocation, '  next: tappass migrate up'), '  next: ./tappass migrate up')
})

/** Words after the name of the project that begin a sentence, not a command. */
const PROSE = ['beside', 'gateway', 'on']

/** Returns what is wrong with the command lines of ours in a source: verb, action and options; what they are given is not looked at. */
const problemsOf = (source: string): readonly string[] =>
  source
    .split('\n')
    .filter((line) => !/^\s*(\*|\/\*|\/\/)/.test(line))
    .flatMap((line) => [...line.matchAll(/\btappass ([a-z]+)(?: ([a-z]+))?([^'`,;]*)/g)])
    .filter(([, verb = '']) => !PROSE.includes(verb))
    .flatMap(([command, verb, action, rest = '']) => {
      const known = VERBS.find(({ name }) => name === verb)
      if (known === undefined) return [`${command}: no such verb`]
      const acted = known.actions?.find(({ name }) => name === action)
      const isAction = known.actions === undefined || action === undefined || acted !== undefined
      const options = [...known.options, ...(acted?.options ?? []), ...COMMON_OPTIONS].map(({ name }) => name)
      const unknown = [...rest.matchAll(/--([a-z-]+)/g)].filter(([, name = '']) => !options.includes(name))
      return [...(isAction ? [] : [`${command}: no such action`]), ...unknown.map(([name]) => `${command}: no ${name}`)]
    })

const sources = ['scripts', 'server']
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
  )
  .filter((path) => path.endsWith('.ts'))

test('hints: every command of ours in a message of toolkit and gateway exists', () => {
  const found = sources.flatMap((path) =>
    problemsOf(readFileSync(join(root, path), 'utf8')).map((problem) => `${path}: ${problem}`),
  )
  assert.deepEqual(found, [])
})

const planted = [
  ["next: 'tappass recover list'", 'tappass recover list: no such verb'],
  ["next: 'tappass migrate down'", 'tappass migrate down: no such action'],
  ["next: 'tappass plan --force'", 'tappass plan --force: no --force'],
  ["next: 'tappass migrate up --at 3'", 'tappass migrate up --at 3: no --at'],
] as const

for (const [source, problem] of planted)
  test(`hints: ${source} would be found`, () => assert.deepEqual(problemsOf(source), [problem]))
