/** Each exit code, unit, line of `status`, line of the journal, alert, metric and topic of checks has its place on the page, and what it tells to type can be typed. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { UNIT } from '../../contract/unit.ts'
import { TOPICS } from '../../scripts/checkup.ts'
import { parseArguments } from '../../scripts/command-line/argument.ts'
import { VERBS } from '../../scripts/command-table.ts'
import { metricsIn } from '../monitoring/expression.ts'
import { readAlerts } from '../monitoring/rules.ts'
import { listMetrics } from '../server/observability/metric-page.ts'
import { commandsOf, readPage, wordsOf } from './page-command.ts'

const root = join(import.meta.dirname, '../..')
const page = readPage('how-to/when-it-breaks.md')
const sourceOf = (...paths: readonly string[]) => paths.map((path) => readFileSync(join(root, path), 'utf8')).join('\n')
const namesIn = (text: string, pattern: RegExp): readonly string[] => [
  ...new Set([...text.matchAll(pattern)].map(([, name = '']) => name)),
]

/** The part of the page below a heading of the second level. */
const partOf = (title: string): string => page.split(/^## /m).find((part) => part.startsWith(title)) ?? ''
const rowsOf = (title: string) => namesIn(partOf(title), /^\| `(.+?)` \| /gm).toSorted()
const sectionsOf = (title: string) => namesIn(partOf(title), /^### `?(.+?)`?$/gm).toSorted()

/** All that the program logs as a warning or an error. */
const logged = (): readonly string[] => {
  const text = sourceOf(...globSync('server/**/*.ts', { cwd: root }))
  const calls = namesIn(text, /\blog\.((?:warn|error)\((?:[^()]|\([^()]*\))*\))/g)
  const messages = calls.flatMap((call) => {
    const found = [...call.matchAll(/'([^']+)'|"([^"]+)"/g)].map(([, one, other]) => one ?? other ?? '')
    return found.slice(-1)
  })
  return [...new Set(messages)].toSorted()
}

/** Metrics of gateways that no alert names, and that are alarms all the same. */
const ALARMS = ['tappass_svid_bundle_age_seconds', 'tappass_svid_refusals_total']

/** Those that alerts name, and all that jobs of a host leave. */
const metrics = async (): Promise<readonly string[]> => {
  const { jobs } = await listMetrics()
  const named = readAlerts().flatMap(({ expr }) => metricsIn(expr).map(({ name }) => name))
  const known = new Set([...jobs.map(({ name }) => name), ...named, ...ALARMS])
  return [...known].filter((name) => name.startsWith('tappass_')).toSorted()
}

const conditions = (): readonly string[] => {
  const folder = 'scripts/output'
  const text = sourceOf(
    ...['archive-condition', 'host-condition', 'backup-condition', 'drift-record', 'drill-table'].map(
      (name) => `${folder}/${name}.ts`,
    ),
  )
  const found = namesIn(text, /\bname(?:: | = )'([a-z-]+)'/g)
  const [, checks = ''] = /check: ('certificate'.+)\n/.exec(sourceOf('server/housekeeping/finding.ts')) ?? []
  return [...new Set([...found, ...namesIn(checks, /'([a-z-]+)'/g)])].toSorted()
}

const rows: readonly (readonly [name: string, written: readonly string[], inCode: readonly string[]])[] = [
  [
    'exit code',
    sectionsOf('By exit code'),
    Object.values(EXIT_CODE)
      .map((code) => `Exit code ${code}`)
      .toSorted(),
  ],
  ['line of status', sectionsOf('By line of `status`'), conditions()],
  ['unit', rowsOf('By unit'), Object.values<string>(UNIT).toSorted()],
  ['line of the journal', rowsOf('By line of the gateway'), logged()],
  [
    'alert',
    rowsOf('By alert'),
    readAlerts()
      .map(({ alert }) => alert)
      .toSorted(),
  ],
  ['metric', rowsOf('By metric'), await metrics()],
  ['topic of doctor', rowsOf('By topic'), TOPICS.map(({ name }) => name).toSorted()],
]
for (const [name, written, inCode] of rows)
  test(`every ${name} has its place, and no other`, () => {
    assert.ok(inCode.length >= 9, `${inCode}`)
    assert.deepEqual(written, inCode)
  })

const toolkit = commandsOf(page).filter((command) => command.startsWith('./tappass '))
for (const command of toolkit)
  test(`can be typed: ${command}`, () => {
    const { verb, action, operands } = parseArguments(VERBS, wordsOf(command).slice(1))
    assert.ok(verb !== undefined, `${action} ${operands}`)
  })

test('each section of an alarm tells something to type, or that nothing is wrong', () => {
  assert.ok(toolkit.length > 30)
  for (const section of page.split(/^### /m).slice(1)) {
    const title = section.slice(0, section.indexOf('\n'))
    assert.ok(title === 'Exit code 0' || /^```sh$/m.test(section), title)
  }
})

test('what the page refers to is on it', () => {
  const anchors = [...page.matchAll(/^##+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^a-z0-9 -]/g, '')
      .replaceAll(' ', '-'),
  )
  for (const name of namesIn(page, /\]\(#([^)]+)\)/g)) assert.ok(anchors.includes(name), name)
})
