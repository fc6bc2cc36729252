/**
 * Each alert fires, does not fire just below its threshold, and clears, as promtool says; it names what there is, and leads to where it is said what to type. Needs: prometheus. On one Node: promtool does the work.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { readPage } from '../docs/page-command.ts'
import { listMetrics } from '../server/observability/metric-page.ts'
import { startGateway } from '../server/running-gateway.ts'
import { ALERT_CASES, type Series } from './alert-case.ts'
import { unknownIn } from './expression.ts'
import { ALERT_FILE, readAlerts } from './rules.ts'

const alerts = readAlerts()
let folder: string
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'alerts-'))
})
after(() => rmSync(folder, { recursive: true }))

const promtool = (...words: readonly string[]): string => {
  const { status, stdout, stderr } = spawnSync('promtool', words, { encoding: 'utf8' })
  return status === 0 ? '' : `${status}: ${stdout}${stderr}`
}

test('promtool has nothing to say about the rules', () => {
  assert.equal(promtool('check', 'rules', '--lint=all', '--lint-fatal', ALERT_FILE), '')
})

test('promtool has nothing to say about the names and texts of metrics', async () => {
  const gateway = await startGateway()
  const text = await (await gateway.admin('/metrics')).text()
  await gateway.close()
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { encoding: 'utf8', input: text })
  assert.equal(`${status} ${stdout}${stderr}`, '0 ')
})

/** Samples are half a minute apart: well for 20 minutes, ill for 20, well for 80. */
const STEP_SECONDS = 30
const PHASES = { well: 40, ill: 80, end: 240 } as const
const TIMES = { before: '19m', during: '39m', after: '119m' } as const

const valuesOf = ({ well, ill, kind }: Series, isSteady: boolean): string => {
  let total = 0
  return Array.from({ length: PHASES.end }, (_, at) => {
    const value = !isSteady && at >= PHASES.well && at < PHASES.ill ? ill : well
    total += value
    if (kind === 'each') return total
    return kind === 'clock' ? at * STEP_SECONDS + value : value
  }).join(' ')
}

type Expected = Readonly<Record<keyof typeof TIMES, boolean>>

/** A test of promtool: whether the alert fires at each time. */
const ruleTest = (alert: string, inputs: readonly Readonly<{ series: string; values: string }>[], fires: Expected) => ({
  interval: `${STEP_SECONDS}s`,
  input_series: inputs,
  promql_expr_test: Object.entries(TIMES).map(([when, eval_time]) => ({
    expr: `count by (alertname, severity) (ALERTS{alertname="${alert}",alertstate="firing"})`,
    eval_time,
    exp_samples: fires[when as keyof Expected]
      ? [
          {
            labels: `{alertname="${alert}",severity="${alerts.find((each) => each.alert === alert)?.labels['severity']}"}`,
            value: 1,
          },
        ]
      : [],
  })),
})

/** What promtool says of tests of one alert. It gets that alone: it judges each rule of a file at each step. */
const judge = (alert: string, ...tests: readonly object[]): string => {
  const [path, rules] = [join(folder, 'test.json'), join(folder, 'rules.json')]
  writeFileSync(
    rules,
    JSON.stringify({ groups: [{ name: 'one', rules: alerts.filter((each) => each.alert === alert) }] }),
  )
  writeFileSync(path, JSON.stringify({ rule_files: [rules], evaluation_interval: `${STEP_SECONDS}s`, tests }))
  return promtool('test', 'rules', path)
}

const inputsOf = (cases: readonly Series[], isSteady: boolean) =>
  cases.map((series) => ({ series: series.name, values: valuesOf(series, isSteady) }))

test('every alert has a case, and no other', () => {
  assert.deepEqual(Object.keys(ALERT_CASES).toSorted(), alerts.map(({ alert }) => alert).toSorted())
})

for (const [alert, cases] of Object.entries(ALERT_CASES))
  test(`${alert} fires, does not fire while all is well enough, and clears`, () => {
    const never = { before: false, during: false, after: false }
    const once = { ...never, during: true }
    const well = ruleTest(alert, inputsOf(cases, true), never)
    assert.equal(judge(alert, ruleTest(alert, inputsOf(cases, false), once), well), '')
    // A test that could not fail would say nothing.
    assert.notEqual(judge(alert, ruleTest(alert, inputsOf(cases, false), never)), '')
  })

test('two instances at one address, met in turn: the one that is not well is told, and the other is not', () => {
  const inTurn = (gateway: number, value: number) => ({
    series: `tappass_ready{job="t",gateway="${gateway}"}`,
    values: Array.from({ length: PHASES.end }, (_, at) => (at % 2 === gateway % 2 ? value : 'stale')).join(' '),
  })
  const always = { before: true, during: true, after: true }
  assert.equal(judge('TapPassNotReady', ruleTest('TapPassNotReady', [inTurn(1, 1), inTurn(2, 0)], always)), '')
  assert.equal(
    judge(
      'TapPassNotReady',
      ruleTest('TapPassNotReady', [inTurn(1, 1), inTurn(2, 1)], { before: false, during: false, after: false }),
    ),
    '',
  )
})

test('each names only metrics and labels that there are', async () => {
  const { own, process, jobs } = await listMetrics()
  const known = [...own, ...process, ...jobs, { name: 'up', labels: ['job', 'instance'] }]
  for (const { alert, expr } of alerts) assert.deepEqual(unknownIn(expr, known), [], alert)
  assert.deepEqual(unknownIn('rate(tappass_no_total[5m]) + tappass_ready{no="x"}', known), [
    'tappass_no_total',
    'tappass_ready{no}',
  ])
})

test('each has a severity, a summary, a description, and an address that leads to a heading', () => {
  const anchors = [...readPage('how-to/when-it-breaks.md').matchAll(/^##+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^a-z0-9 -]/g, '')
      .replaceAll(' ', '-'),
  )
  for (const { alert, labels, annotations } of alerts) {
    assert.match(labels['severity'] ?? '', /^(?:critical|warning)$/, alert)
    assert.ok((annotations['summary'] ?? '') !== '' && (annotations['description'] ?? '').endsWith('.'), alert)
    const [, anchor = ''] =
      /^https:\/\/SERVER\/docs\/how-to\/when-it-breaks\/#(.+)$/.exec(annotations['runbook_url'] ?? '') ?? []
    assert.ok(anchors.includes(anchor), `${alert}: ${anchor}`)
  }
})
