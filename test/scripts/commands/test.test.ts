/** `tappass test` over small trees of tests: whatever goes wrong in one is counted, and the last line says so. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { typeCommand } from '../command-line.ts'

const roots: string[] = []
after(() => {
  for (const root of roots) rmSync(root, { recursive: true, force: true })
})

const head = "import { test } from 'node:test'\n"
const good = `${head}test('a', () => undefined)\ntest('b', () => undefined)\n`

/** The test files of a tree, what is typed after `tappass test`, the environment, the exit code, what stdout ends with. */
const rows: readonly (readonly [
  name: string,
  files: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string>>,
  code: number,
  end: RegExp,
])[] = [
  ['all pass', { 'a.test.ts': good }, {}, 0, /^2 passed, 0 failed\n$/m],
  [
    'one fails',
    { 'a.test.ts': good, 'b.test.ts': `${head}test('c', () => { throw new Error('no') })` },
    {},
    1,
    /\n2 passed, 1 failed\n$/,
  ],
  [
    'one ends its process',
    { 'a.test.ts': good, 'b.test.ts': `${head}test('c', () => process.exit(0))` },
    {},
    1,
    /\n2 passed, \d+ failed\n$/,
  ],
  ['one has no tests', { 'a.test.ts': good, 'b.test.ts': '' }, {}, 1, /\n2 passed, 1 failed\n$/],
  [
    'one is killed',
    { 'b.test.ts': `${head}test('c', () => process.kill(process.pid, 'SIGKILL'))` },
    {},
    1,
    /\n0 passed, \d+ failed\n$/,
  ],
  [
    'one can’t be loaded',
    { 'a.test.ts': good, 'b.test.ts': "import './nowhere.ts'" },
    {},
    1,
    /\n2 passed, 1 failed\n$/,
  ],
  [
    'a need is not met',
    { 'a.test.ts': good, 'b.test.ts': `/** Needs: busybox. */\n${good}` },
    {},
    0,
    /left out: test\/b\.test\.ts: busybox not found[^\n]*\n2 passed, 0 failed\n$/,
  ],
  [
    'the same under CI',
    { 'a.test.ts': good, 'b.test.ts': `/** Needs: busybox. */\n${good}` },
    { CI: 'true' },
    1,
    /counts as failed\n\d+ passed, \d+ failed\n$/,
  ],
]

describe('test', () => {
  for (const [name, files, environment, code, end] of rows) {
    test(name, async () => {
      const root = mkdtempSync(join(tmpdir(), 'tappass-test-test-'))
      roots.push(root)
      mkdirSync(join(root, 'test'))
      writeFileSync(join(root, 'package.json'), '{"type":"module"}')
      writeFileSync(join(root, 'versions.yaml'), 'node:\n  - version: 20.0.0\n')
      for (const [file, text] of Object.entries(files)) writeFileSync(join(root, 'test', file), text)
      const typed = typeCommand(['test', '--only', 'test/**'], {
        root,
        environment: { PATH: '/nowhere', ...environment },
      })
      assert.equal(await typed.code, code, typed.stdout())
      assert.match(typed.stdout(), end)
    })
  }

  test('nothing to run is no success', async () => {
    const typed = typeCommand(['test', '--only', 'nothing/**'])
    assert.equal(await typed.code, 64)
    assert.match(typed.stderr(), /nothing is left to run/)
  })
})
