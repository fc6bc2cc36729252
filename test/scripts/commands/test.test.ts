/** `tappass test` over small trees of tests: whatever goes wrong in one is counted, and the last line says so. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { typeCommand } from '../command-line.ts'

const roots: string[] = []
after(() => {
  for (const root of roots) rmSync(root, { recursive: true, force: true })
})

const head = "import { test } from 'node:test'\n"
/** What a hook takes along: tests that never ran, and the suite itself. */
const failingHooks = `import { before, describe, test } from 'node:test'
describe('s', () => { before(() => { throw new Error('no') }); test('c', () => undefined); test('d', () => undefined) })\n`
const omitted = `${head}test('c', { skip: 'no luck' }, () => undefined)\ntest('d', { todo: true }, () => undefined)\n`
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
    'a suite whose hook fails',
    { 'a.test.ts': good, 'b.test.ts': failingHooks },
    {},
    1,
    /\n5 tests on Node [^\n]*\n2 passed, 3 failed\n$/,
  ],
  [
    'one is skipped, one is to do',
    { 'a.test.ts': good, 'b.test.ts': omitted },
    {},
    0,
    /\nleft out: test\/b\.test\.ts: c: no luck\nleft out: test\/b\.test\.ts: d: skipped\n2 tests on Node [^\n]*\n2 passed, 0 failed\n$/,
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
    /left out: test\/b\.test\.ts: busybox not found[^\n]*\n2 tests on Node [^\n]*\n2 passed, 0 failed\n$/,
  ],
  [
    'the same under CI',
    { 'a.test.ts': good, 'b.test.ts': `/** Needs: busybox. */\n${good}` },
    { CI: 'true' },
    1,
    /counts as failed\n\d+ passed, \d+ failed\n$/,
  ],
]

/** A tree with these test files, and another Node that is pinned and not there. */
const makeRoot = (files: Readonly<Record<string, string>>): string => {
  const root = mkdtempSync(join(tmpdir(), 'tappass-test-test-'))
  roots.push(root)
  mkdirSync(join(root, 'test'))
  writeFileSync(join(root, 'package.json'), '{"type":"module"}')
  writeFileSync(join(root, 'versions.yaml'), 'node:\n  - version: 20.0.0\n')
  for (const [file, text] of Object.entries(files)) writeFileSync(join(root, 'test', file), text)
  return root
}

describe('test', () => {
  for (const [name, files, environment, code, end] of rows) {
    test(name, async () => {
      const typed = typeCommand(['test', '--only', 'test/**'], {
        root: makeRoot(files),
        environment: { PATH: '/nowhere', ...environment },
      })
      assert.equal(await typed.code, code, typed.stdout())
      assert.match(typed.stdout(), end)
    })
  }

  test('on two Nodes a test counts once, and one that fails on the other has failed', async () => {
    const root = makeRoot({
      'a.test.ts': `${head}test('a', () => undefined)\ntest('b', () => { if (process.env.OTHER) throw new Error('no') })\n`,
    })
    const other = join(root, '.tappass/node/20.0.0/bin')
    mkdirSync(other, { recursive: true })
    writeFileSync(join(other, 'node'), `#!/bin/sh\nOTHER=1 exec ${process.execPath} "$@"\n`)
    chmodSync(join(other, 'node'), 0o755)
    const typed = typeCommand(['test', '--only', 'test/**'], { root, environment: { PATH: '/nowhere', CI: 'true' } })
    assert.equal(await typed.code, 1)
    const [running, found, , total] = [process.versions.node, ...typed.stdout().split('\n').slice(-4)]
    // One that failed, and the gates that --only leaves out.
    assert.deepEqual([found, total], [`2 tests on Node ${running} and 20.0.0`, '1 passed, 2 failed'])
  })

  test('what is needed is shown, with the packages that bring it, and nothing is run', async () => {
    const typed = typeCommand(['test', '--needs'], { environment: { PATH: '/nowhere' } })
    assert.equal(await typed.code, 0)
    assert.match(typed.stdout(), /^redis: redis-server not found; apt-get install redis-server$/m)
    assert.match(typed.stdout(), /\npackages: [a-z0-9. -]*\bgit\b[a-z0-9. -]*\n$/)
  })

  test('nothing to run is no success', async () => {
    const typed = typeCommand(['test', '--only', 'nothing/**'])
    assert.equal(await typed.code, 64)
    assert.match(typed.stderr(), /nothing is left to run/)
  })
})

test('a release has no tests: exit 5, and what to type on a server', async () => {
  const root = mkdtempSync(join(tmpdir(), 'tappass-test-'))
  roots.push(root)
  const typed = typeCommand(['test'], { root })
  assert.equal(await typed.code, 5)
  assert.match(
    typed.stderr(),
    /a release has no tests[\s\S]*next: {2}run it in a clone; a server is looked at by tappass status/,
  )
})
