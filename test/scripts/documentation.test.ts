/** The pages on events and exit codes name what the code has, all of it and nothing else. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { TOPICS } from '../../scripts/checkup.ts'
import {
  AGE_OPTION,
  ALL_OPTION,
  ARCHIVE_OPTIONS,
  BUNDLE_OPTIONS,
  COMMON_OPTIONS,
  COMPOSE_OPTION,
  COMPROMISED_OPTION,
  DIFF_OPTION,
  FINISH_OPTION,
  HOST_OPTIONS,
  JSON_OPTION,
  LIMIT_OPTION,
  LOG_OPTIONS,
  MOVE_OPTIONS,
  NO_INPUT_OPTION,
  OUT_OPTION,
  PACK_OPTIONS,
  PLAN_OPTION,
  RETRY_OPTION,
  ROLLOUT_OPTIONS,
  ROTATE_OPTION,
  SPEC_OPTIONS,
  WITH_DATA_OPTION,
  YES_OPTION,
} from '../../scripts/command-line/option.ts'

import { LEFT_ALWAYS } from '../../scripts/converge/host-removal.ts'
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
    ...ROLLOUT_OPTIONS,
    ...BUNDLE_OPTIONS,
    LIMIT_OPTION,
    ...LOG_OPTIONS,
    ALL_OPTION,
    WITH_DATA_OPTION,
    RETRY_OPTION,
    COMPOSE_OPTION,
    DIFF_OPTION,
    JSON_OPTION,
    NO_INPUT_OPTION,
    YES_OPTION,
    ROTATE_OPTION,
    AGE_OPTION,
    FINISH_OPTION,
    ...MOVE_OPTIONS.filter((option) => !ROLLOUT_OPTIONS.some(({ name }) => name === option.name)),
    ...ARCHIVE_OPTIONS,
    ...PACK_OPTIONS,
    COMPROMISED_OPTION,
    OUT_OPTION,
    PLAN_OPTION,
    ...COMMON_OPTIONS,
  ]
  const there = options.filter(({ name }) => name !== 'help').map(({ name, value }) => [name, value !== undefined])
  assert.deepEqual(told.toSorted(), there.toSorted())
  assert.equal(/^\| `--only ROLE` \| [^|]*: ([a-z, -]+);/m.exec(page)?.[1], ROLE_NAMES.join(', '))
})

test('docs: the checks of doctor, all of them and as they are', () => {
  const told = [...read('docs/how-to/doctor.md').matchAll(/^\| `([a-z]+\.[a-z-]+)` \| (.*) \|$/gm)].map(
    ([, id, what]) => [id, what],
  )
  assert.deepEqual(
    told,
    TOPICS.flatMap(({ checks }) => checks.map(({ id, what }) => [id, what])),
  )
})

test('docs: what an uninstall leaves is what it tells', () => {
  const page = read('docs/how-to/uninstall.md')
  assert.ok(LEFT_ALWAYS.length <= 5)
  for (const { why } of LEFT_ALWAYS) assert.ok(page.includes(why.split(',')[0] ?? why), why)
  const rows = page.slice(page.indexOf('## What stays'), page.indexOf('A lab test')).match(/^\| .* \| .* \|$/gm)
  assert.equal((rows?.length ?? 0) - 1, LEFT_ALWAYS.length)
})
