/** What is chosen to run, and that every file either runs or is said to be left out. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { findUnmet, listPackages, NEEDS } from '../../../scripts/testing/need.ts'
import { readReport, tallyResults } from '../../../scripts/testing/tally.ts'
import {
  findTestFiles,
  listTestFiles,
  parseMinutes,
  parseNeeds,
  parseOnOneNode,
} from '../../../scripts/testing/test-file.ts'
import { guardModule, planTests, type TestWish } from '../../../scripts/testing/test-plan.ts'
import { scratch } from '../known-host.ts'

const root = join(import.meta.dirname, '../../..')

const wish: TestWish = {
  files: [
    { path: 'test/a.test.ts', minutes: 0, needs: [], isOnOneNode: false },
    { path: 'test/server/b.test.ts', minutes: 0, needs: ['postgres'], isOnOneNode: false },
    { path: 'test/lab/c.test.ts', minutes: 0, needs: ['lab'], isOnOneNode: false },
  ],
  reasonAgainst: () => undefined,
  nodes: [{ version: '26.0.0', path: '/26/node' }],
  only: undefined,
  hasLab: true,
  scratch: '/s',
}
const chosen = (change: Partial<TestWish>) => {
  const { first, alone, leftOut } = planTests({ ...wish, ...change })
  return {
    first: first.map(({ name }) => name),
    alone: alone.map(({ name }) => name),
    files: [...first, ...alone].flatMap(({ argv }) => argv.filter((word) => word.endsWith('.test.ts'))),
    leftOut,
  }
}
const gates = ['format and lint (biome)', 'types (tsc)']

describe('test plan', () => {
  test('everything', () =>
    assert.deepEqual(chosen({}), {
      first: [...gates, 'tests on Node 26.0.0'],
      alone: ['lab (booted machines)'],
      files: ['test/a.test.ts', 'test/server/b.test.ts', 'test/lab/c.test.ts'],
      leftOut: [],
    }))
  test('a need that is not met, and no lab', () =>
    assert.deepEqual(
      chosen({ hasLab: false, reasonAgainst: (needs) => (needs.includes('postgres') ? 'no server' : undefined) }),
      {
        first: [...gates, 'tests on Node 26.0.0'],
        alone: [],
        files: ['test/a.test.ts'],
        leftOut: ['test/server/b.test.ts: no server', 'test/lab/c.test.ts: --no-lab'],
      },
    ))
  test('only some', () =>
    assert.deepEqual(chosen({ only: 'test/server/**' }), {
      first: ['tests on Node 26.0.0'],
      alone: [],
      files: ['test/server/b.test.ts'],
      leftOut: ['format, lint and types: --only test/server/**', '2 other test files: --only test/server/**'],
    }))
  test('a file that takes longest begins first', () => {
    const files = [...wish.files, { path: 'test/z.test.ts', needs: [], minutes: 4, isOnOneNode: false }]
    const expected = ['test/z.test.ts', 'test/a.test.ts', 'test/server/b.test.ts', 'test/lab/c.test.ts']
    assert.deepEqual(chosen({ files }).files, expected)
  })
  test('a second Node, and one that is not there', () =>
    assert.deepEqual(
      chosen({
        files: wish.files.slice(0, 1),
        nodes: [...wish.nodes, { version: '24.0.0', path: '/24/node' }, { version: '25.0.0', path: undefined }],
      }),
      {
        first: [...gates, 'tests on Node 26.0.0'],
        alone: ['tests on Node 24.0.0'],
        files: ['test/a.test.ts', 'test/a.test.ts'],
        leftOut: ['tests on Node 25.0.0: it was not found; test/lab/prepare brings it'],
      },
    ))
  test('a second Node, where the bare machine runs what it can on it, and not what needs one Node only', () => {
    const once = { path: 'test/server/once.test.ts', minutes: 0, needs: ['postgres'], isOnOneNode: true }
    const files = [
      ...wish.files,
      once,
      { path: 'test/lab/bare-machine.test.ts', minutes: 0, needs: ['lab'], isOnOneNode: false },
    ]
    const { alone } = planTests({ ...wish, files, nodes: [...wish.nodes, { version: '24.0.0', path: '/24/node' }] })
    assert.deepEqual(
      alone.map(({ name, argv }) => [name, argv.filter((word) => word.endsWith('.test.ts'))]),
      [
        ['tests on Node 24.0.0', ['test/server/b.test.ts']],
        ['lab (booted machines)', ['test/lab/c.test.ts', 'test/lab/bare-machine.test.ts']],
      ],
    )
  })
})

describe('the guard of test processes', () => {
  const text = (more: string) =>
    `import { test } from 'node:test'\nimport { createServer } from 'node:net'\ntest('a', () => undefined)\n${more}\n`
  for (const [what, more, code] of [
    ['an ordinary file', '', 0],
    ['a file that leaves something open', 'createServer().listen(0)', 1],
    ['a file that ends its process', "test('b', () => process.exit(0))", 1],
  ] as const) {
    test(`${what} ends with ${code}`, (context) => {
      const file = join(scratch(context), 'x.test.mjs')
      writeFileSync(file, text(more))
      const { NODE_TEST_CONTEXT, ...env } = process.env
      const report = join(scratch(context), 'report.jsonl')
      const words = [join(root, 'scripts/testing/run-files.ts'), '1', '0', report, guardModule(50), file]
      const { status, stdout, stderr } = spawnSync(process.execPath, words, { env, encoding: 'utf8' })
      assert.equal(status, code, `${stdout}${stderr}`)
      assert.equal(tallyResults(readReport('x', readFileSync(report, 'utf8'), status).results).failed, code)
    })
  }
  test('files run in the order given, and a test that takes too long has failed', (context) => {
    const folder = scratch(context)
    const files = ['z', 'a', 'm'].map((name) => join(folder, `${name}.test.mjs`))
    const slow = "test('b', () => new Promise((resolve) => setTimeout(resolve, 60_000)))"
    for (const file of files) writeFileSync(file, text(file === files[2] ? slow : ''))
    const { NODE_TEST_CONTEXT, ...env } = process.env
    const report = join(folder, 'report.jsonl')
    const words = [join(root, 'scripts/testing/run-files.ts'), '1', '2000', report, guardModule(50), ...files]
    const { status, stdout } = spawnSync(process.execPath, words, { env, encoding: 'utf8', cwd: folder })
    assert.equal(status, 1, stdout)
    const lines = readFileSync(report, 'utf8').trimEnd().split('\n')
    const ran = lines.map((line) => JSON.parse(line)).filter(({ kind }) => kind === 'test')
    assert.deepEqual([...new Set(ran.map(({ at }) => at))], ['z.test.mjs', 'a.test.mjs', 'm.test.mjs'])
  })
})

describe('needs', () => {
  for (const [opening, needs] of [
    ['/** What it is. */', []],
    ['/** What it is. Needs: postgres. */', ['postgres']],
    ['/**\n * What it is.\n * Needs: root, busybox.\n */', ['root', 'busybox']],
    ['/**\n * What it is. Needs:\n * tlog-check.\n */', ['tlog-check']],
    ['/**\n * What it is. Needs: root,\n * busybox.\n */', ['root', 'busybox']],
    ['// Needs: postgres.', []],
    ['/** What it is. */\n/** Needs: postgres. */', []],
  ] as const) {
    test(JSON.stringify(opening), () => assert.deepEqual(parseNeeds(`${opening}\nimport 'x'`), needs))
  }
  const machine = { path: '/nowhere', userId: 1000, labCache: '/nowhere' }
  test('all reasons for what is not there', () => {
    assert.match(findUnmet(['curl'], machine) ?? '', /^curl not found; apt-get install ca-certificates curl$/)
    assert.match(findUnmet(['redis', 'git'], machine) ?? '', /^redis-server not found; .*; git not found; .*git$/)
    assert.match(findUnmet(['lab'], machine) ?? '', /^needs root/)
    assert.match(findUnmet(['lab'], { ...machine, userId: 0 }) ?? '', /systemd-nspawn/)
    assert.equal(findUnmet([], machine), undefined)
  })
  test('an unknown need is a defect', () => assert.throws(() => findUnmet(['luck'], machine), /needs "luck"/))
  test('every need of a test of ours is known, and every need is one of a test', () => {
    const files = listTestFiles(root)
    assert.deepEqual(new Set(files.flatMap(({ needs }) => needs)), new Set(Object.keys(NEEDS)))
  })
  for (const [opening, minutes] of [
    ['/** What it is. */', 0],
    ['/**\n * What it is. Takes 12 minutes. Needs: root.\n */', 12],
    ['/** What it is. */\n/** Takes 12 minutes. */', 0],
  ] as const) {
    test(`minutes of ${JSON.stringify(opening)}`, () => assert.equal(parseMinutes(`${opening}\n`), minutes))
  }
  for (const [opening, isOnOneNode] of [
    ['/** What it is. Needs: curl. */', false],
    ['/**\n * What it is. Needs: curl. On one Node: it is a script of sh.\n */', true],
    ['/** What it is. On one Node: */', false],
  ] as const) {
    test(`one Node of ${JSON.stringify(opening)}`, () => assert.equal(parseOnOneNode(`${opening}\n`), isOnOneNode))
  }
  test('a test has the needs of what it imports, however far away, and those in test/lab the lab', () => {
    const texts = {
      'test/a.test.ts': "/** A. Needs: curl. Takes 3 minutes. */\nimport { b } from './b.ts'\n",
      'test/b.ts': "/** B. */\nimport {\n  c,\n} from './lab/c.ts'\nimport './a.test.ts'\n",
      'test/lab/c.ts': "/** C. Needs: git. */\nimport { x } from '../../server/x.ts'\n",
      'test/lab/d.test.ts': "/** D. */\nconst late = () => import('./c.ts')\n",
    }
    assert.deepEqual(findTestFiles(new Map(Object.entries(texts))), [
      { path: 'test/a.test.ts', minutes: 3, needs: ['curl', 'git'], isOnOneNode: false },
      { path: 'test/lab/d.test.ts', minutes: 0, needs: ['lab', 'git'], isOnOneNode: false },
    ])
  })
  test('what the lab starts is installed by test/lab/prepare', () => {
    const table = /<<'LIST'\n([\s\S]*?)\nLIST\n/.exec(readFileSync(join(root, 'test/lab/prepare'), 'utf8'))?.[1] ?? ''
    const brought = table.split('\n').map((line) => line.split(' ')[0])
    assert.deepEqual(
      NEEDS['lab']?.programs.filter((program) => !brought.includes(program)),
      [],
    )
  })
  test('packages are listed once each', () => {
    const packages = listPackages()
    assert.deepEqual(packages, [...new Set(packages)].toSorted())
    assert.ok(packages.includes('redis-server'))
  })
})
