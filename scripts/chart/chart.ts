/** The chart of a clone, rendered without Helm: its files, its values, its manifests. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, parseAllDocuments } from 'yaml'
import { createChartEngine, YAML_VERSION } from './chart-engine.ts'
import { mergeValues, type Values, valueProblems } from './chart-values.ts'

/** Where it is, from the root of a clone. */
export const CHART_FOLDER = 'charts/tappass'

/** What a release is called, and where it goes. */
export type Release = Readonly<{ name: string; namespace: string }>

/** The chart's files by their paths in it. */
export type Chart = ReadonlyMap<string, string>

/** Reads the chart of a clone. */
export function readChart(root: string): Chart {
  const folder = join(root, CHART_FOLDER)
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
  return new Map(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]))
}

/** The values in force: the chart's own, and `given` over them in their order. `problems` says what the schema has against them. */
export function valuesOf(
  chart: Chart,
  given: readonly Values[],
): Readonly<{ values: Values; problems: readonly string[] }> {
  const defaults = parse(chart.get('values.yaml') ?? '', YAML_VERSION) as Values
  const values = given.reduce(mergeValues, defaults)
  return { values, problems: valueProblems(JSON.parse(chart.get('values.schema.json') ?? '{}') as object, values) }
}

/** In which order they are applied: what others need first, and the migration before the gateway. */
const ORDER = ['NetworkPolicy', 'PodDisruptionBudget', 'ServiceAccount', 'Job', 'Service', 'Deployment']

function rankOf(manifest: string): number {
  const at = ORDER.indexOf((parse(manifest, YAML_VERSION) as { kind: string }).kind)
  return at < 0 ? ORDER.length : at
}

/** Renders the manifests, a YAML document each. `values` has to fit the schema. */
export function renderChart(chart: Chart, values: Values, release: Release): readonly string[] {
  const about = parse(chart.get('Chart.yaml') ?? '', YAML_VERSION) as Readonly<Record<string, string>>
  const context = {
    Values: values,
    Release: { Name: release.name, Namespace: release.namespace },
    Chart: { AppVersion: about['appVersion'] },
  }
  const render = createChartEngine(chart)
  return [...chart.keys()]
    .filter((path) => path.startsWith('templates/') && path.endsWith('.yaml'))
    .toSorted()
    .flatMap((path) => render(path, context).split(/^---$/m))
    .map((manifest) => manifest.trim())
    .filter((manifest) => parseAllDocuments(manifest).some(({ contents }) => contents !== null))
    .toSorted((one, other) => rankOf(one) - rankOf(other))
}
