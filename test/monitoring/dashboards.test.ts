/** The dashboards are up to date; each expression parses, and names only metrics and labels that there are. Needs: prometheus. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { listMetrics } from '../server/observability/metric-page.ts'
import { formatDashboard } from './dashboard.ts'
import { DASHBOARDS } from './dashboards.ts'
import { unknownIn } from './expression.ts'

type Shown = Readonly<{
  panels: readonly Readonly<{
    id: number
    title: string
    gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>
    targets?: readonly Readonly<{ expr: string }>[]
  }>[]
}>

const fileOf = (name: string): string =>
  readFileSync(join(import.meta.dirname, `../../monitoring/dashboards/${name}.json`), 'utf8')
const expressionsOf = (name: string): readonly string[] =>
  (JSON.parse(fileOf(name)) as Shown).panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))

for (const [name, dashboard] of Object.entries(DASHBOARDS)) {
  test(`${name}: its file is up to date (node test/monitoring/write-dashboards.ts writes it)`, () => {
    assert.equal(fileOf(name), formatDashboard(dashboard))
  })

  test(`${name}: each expression parses`, (context) => {
    const folder = mkdtempSync(join(tmpdir(), 'dashboards-'))
    context.after(() => rmSync(folder, { recursive: true }))
    const check = (expressions: readonly string[]) => {
      const rules = expressions.map((expr, at) => ({ record: `panel:${at}`, expr: expr.replaceAll('$job', 'tappass') }))
      writeFileSync(join(folder, 'rules.json'), JSON.stringify({ groups: [{ name, rules }] }))
      return spawnSync('promtool', ['check', 'rules', join(folder, 'rules.json')], { encoding: 'utf8' })
    }
    const { status, stderr, stdout } = check(expressionsOf(name))
    assert.equal(status, 0, stdout + stderr)
    assert.notEqual(check(['sum by (job (up)']).status, 0)
  })

  test(`${name}: each expression names metrics and labels that there are`, async () => {
    const { own, process, jobs } = await listMetrics()
    const expressions = expressionsOf(name)
    assert.ok(expressions.length > 15, `${expressions.length}`)
    for (const expr of expressions) assert.deepEqual(unknownIn(expr, [...own, ...process, ...jobs]), [], expr)
  })

  test(`${name}: no two panels have an id or a place in common`, () => {
    const { panels } = JSON.parse(fileOf(name)) as Shown
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
    const places = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)} ${y + Math.floor(at / w)}`),
    )
    assert.equal(new Set(places).size, places.length)
  })
}
