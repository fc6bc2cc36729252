/** The pages on events and exit codes name what the code has, all of it and nothing else. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import {
  AGE_OPTION,
  BATCH_OPTION,
  COMMON_OPTIONS,
  DIFF_OPTION,
  FINISH_OPTION,
  HOST_OPTIONS,
  JSON_OPTION,
  LIMIT_OPTION,
  LOG_OPTIONS,
  NO_INPUT_OPTION,
  OUT_OPTION,
  PLAN_OPTION,
  RETRY_OPTION,
  ROTATE_OPTION,
  SPEC_OPTIONS,
  YES_OPTION,
} from '../../scripts/command-line/option.ts'
import { ROLE_NAMES } from '../../scripts/recipe.ts'

const fieldNames = new Set<string | undefined>(['v', 'at', 'host', 'event'])
const root = join(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const all = (text: string, pattern: RegExp) =>
  [...new Set([...text.matchAll(pattern)].map(([, name]) => name))].toSorted()

test('docs: exit codes', () => {
  const told = all(read('docs/reference/exit-codes.md'), /^\| (\d+) \|/gm).map(Number)
  assert.deepEqual(
    told.toSorted((a, b) => a - b),
    Object.values(EXIT_CODE).toSorted((a, b) => a - b),
  )
})

test('docs: events and outcomes', () => {
  const [page, source] = [read('docs/reference/events.md'), read('scripts/output/event.ts')]
  assert.deepEqual(
    all(page, /^\| `([a-z-]+)` \|/gm).filter((name) => !fieldNames.has(name)),
    all(source, /event: '([a-z-]+)'/g),
  )
  assert.deepEqual(
    all(/^`outcome` is ([^.]*)\./m.exec(page)?.[1] ?? '', /`([a-z-]+)`/g),
    all(source.slice(source.indexOf('type Outcome')), /^ {2}\| '([a-z-]+)'$/gm),
  )
})

test('docs: options of hosts, those that take a value with one, and roles', () => {
  const page = read('docs/reference/command-line.md')
  const told = [...page.matchAll(/^\| `--([a-z-]+)([ =][^`]*)?`/gm)].map(([, name, value]) => [
    name,
    value !== undefined,
  ])
  const options = [
    ...HOST_OPTIONS,
    ...SPEC_OPTIONS,
    BATCH_OPTION,
    LIMIT_OPTION,
    ...LOG_OPTIONS,
    RETRY_OPTION,
    DIFF_OPTION,
    JSON_OPTION,
    NO_INPUT_OPTION,
    YES_OPTION,
    ROTATE_OPTION,
    AGE_OPTION,
    FINISH_OPTION,
    OUT_OPTION,
    PLAN_OPTION,
    ...COMMON_OPTIONS,
  ]
  const there = options.filter(({ name }) => name !== 'help').map(({ name, value }) => [name, value !== undefined])
  assert.deepEqual(told.toSorted(), there.toSorted())
  assert.equal(/^\| `--only ROLE` \| [^|]*: ([a-z, ]+);/m.exec(page)?.[1], ROLE_NAMES.join(', '))
})
