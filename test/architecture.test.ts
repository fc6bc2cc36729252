/** Holds the rules of docs/architecture.md: the tree keeps each, and a planted breach of each is caught. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, test } from 'node:test'
import { breaches, plantedManifest, plantedRooms } from './architecture/breach.ts'
import { contractRules } from './architecture/contract-rule.ts'
import { dependencyRules, type Manifest } from './architecture/dependency-rule.ts'
import { effectRules } from './architecture/effect-rule.ts'
import { importRules } from './architecture/import-rule.ts'
import { nameRules } from './architecture/name-rule.ts'
import { needRules } from './architecture/need-rule.ts'
import { type Room, rooms } from './architecture/room.ts'
import { roomReadmes, withDrawing } from './architecture/room-page.ts'
import { roomRules } from './architecture/room-rule.ts'
import { sizeRules } from './architecture/size-rule.ts'
import { parseSources, type Rule } from './architecture/source.ts'
import { stateRules } from './architecture/state-rule.ts'
import { testRules } from './architecture/test-rule.ts'
import { wordRules } from './architecture/word-rule.ts'

const root = join(import.meta.dirname, '..')
const rulesFor = (table: readonly Room[], manifest: Manifest): readonly Rule[] => [
  ...roomRules(table),
  ...dependencyRules(manifest),
  ...importRules,
  ...sizeRules,
  ...nameRules,
  ...wordRules,
  ...contractRules,
  ...effectRules,
  ...stateRules,
  ...testRules,
  ...needRules,
]
const rules = rulesFor(rooms, {
  ...(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest),
  configuration: ['biome.json', 'tsconfig.json', 'mkdocs.yml', 'docs/theme/mermaid.py']
    .map((path) => readFileSync(join(root, path), 'utf8'))
    .join('\n'),
})

const readTree = (): Readonly<Record<string, string>> => {
  const paths = ['contract', 'scripts', 'server', 'test', 'bench']
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
  return Object.fromEntries(paths.map((path) => [path, readFileSync(join(root, path), 'utf8')]))
}

/** A file with an opening comment, filled up to sixteen lines, so that its comments are about a tenth of it. */
const file = (body: string, opening = '/** What it is. */'): string => {
  const lines = [opening, ...body.split('\n')]
  const filling = Array.from(
    { length: Math.max(0, 16 - lines.length) },
    (_, index) => `const filling${index} = ${index}`,
  )
  return `${[...lines, ...filling].join('\n')}\n`
}

const clean: Readonly<Record<string, string>> = {
  'scripts/cli.ts': file(
    "import { run } from './commands/go.ts'\nif (import.meta.main) process.exit(run(process.env))",
  ),
  'scripts/commands/go.ts': file(
    "import { plan } from '../core/plan.ts'\n\n/** Goes. */\nexport const run = (_: unknown) => plan(Date.now())",
  ),
  'scripts/core/plan.ts': file('\n/** Plans. */\nexport const plan = (nowMs: number) => nowMs'),
  'scripts/resources/file.ts': file('\n\n\n'),
  'server/main.ts': file("import { start } from './app.ts'\nif (import.meta.main) start()"),
  'server/app.ts': file(
    "import { step } from './steps/see.ts'\n\n/** Starts. */\nexport const start = () => step(Math.random())",
  ),
  'server/steps/see.ts': file("import { look } from '../core/look.ts'\n\n/** Sees. */\nexport const step = look"),
  'server/core/look.ts': file('\n/** Looks. */\nexport const look = (chance: number) => chance'),
  'test/server/core/look.test.ts': file(
    "import { look } from '../../../server/core/look.ts'\ntest('looks', () => look(1))",
  ),
}

describe('the tree keeps every rule', () => {
  const sources = parseSources(readTree())
  for (const rule of rules) {
    test(rule.name, () => {
      const found = rule.check(sources).map(({ where, what }) => `${where}: ${what}`)
      assert.deepEqual(found, [])
    })
  }
})

describe('the pages of the rooms are those of the table (node test/architecture/write-rooms.ts writes them)', () => {
  for (const [path, text] of roomReadmes()) {
    test(path, () => assert.equal(readFileSync(join(root, path), 'utf8'), text))
  }

  test('the drawing in docs/architecture.md', () => {
    const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8')
    assert.equal(page, withDrawing(page))
  })
})

describe('a planted breach is caught', () => {
  test('a tree without one keeps every rule', () => {
    const sources = parseSources(clean)
    assert.deepEqual(
      rulesFor(plantedRooms, plantedManifest).flatMap((rule) => rule.check(sources)),
      [],
    )
  })

  test('there is one for every rule', () => {
    const planted = new Set(breaches.map(({ rule }) => rule))
    assert.deepEqual(
      rules.map(({ name }) => name).filter((name) => !planted.has(name)),
      [],
    )
  })

  for (const {
    rule: name,
    path,
    body,
    opening,
    at,
    rooms: table = plantedRooms,
    manifest = plantedManifest,
    files = [],
  } of breaches) {
    test(`${name}: ${path} ${body.split('\n').slice(0, 2).join(' ').slice(0, 60)}`, () => {
      const more = Object.fromEntries(files.map((each) => [each, file(body, opening)]))
      const sources = parseSources({ ...clean, ...more, [path]: file(body, opening) })
      const rule = rulesFor(table, manifest).find((each) => each.name === name)
      const found = rule?.check(sources).map(({ where }) => where) ?? []
      assert.equal(found.length > 0, true, 'was not caught')
      assert.equal(
        found.every((where) => where.startsWith(at ?? `${path}:`)),
        true,
        found.join(', '),
      )
    })
  }
})
