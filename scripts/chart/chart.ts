/** The chart of a clone, rendered without Helm: its files, its values, its manifests. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { createChartEngine, YAML_VERSION } from './chart-engine.ts'
import { createJudge, mergeValues, type Values } from './chart-values.ts'

/** Where it is, from the root of a clone. */
export const CHART_FOLDER = 'charts/tappass'

/** What a release is called, and where it goes. */
export type Release = Readonly<{ name: string; namespace: string }>

/** The chart. */
export type Chart = Readonly<{
  /** The values in force: the chart's own, and `given` over them in their order. `problems` says what the schema has against them. */
  valuesOf: (given: readonly Values[]) => Readonly<{ values: Values; problems: readonly string[] }>
  /** Renders the manifests, a YAML document each. `values` has to fit the schema. */
  render: (values: Values, release: Release) => readonly string[]
}>

/** In which order they are applied: what others need first, and the migration before the gateway. */
const ORDER = ['NetworkPolicy', 'PodDisruptionBudget', 'ServiceAccount', 'Job', 'Service', 'Deployment']

function rankOf(manifest: string): number {
  const at = ORDER.indexOf(KIND.exec(manifest)?.[1] ?? '')
  return at < 0 ? ORDER.length : at
}

const KIND = /^kind: (\w+)$/m

/** The chart's files by their paths in it. */
function readFiles(root: string): ReadonlyMap<string, string> {
  const folder = join(root, CHART_FOLDER)
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
  return new Map(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]))
}

/** Opens the chart of a clone. */
export function openChart(root: string): Chart {
  const files = readFiles(root)
  const read = (name: string): Values => parse(files.get(name) ?? '', YAML_VERSION) as Values
  const about = { AppVersion: read('Chart.yaml')['appVersion'] }
  const [defaults, problemsOf] = [read('values.yaml'), createJudge(read('values.schema.json'))]
  const engine = createChartEngine(files)
  const templates = [...files.keys()].filter((path) => /^templates\/.*\.yaml$/.test(path)).toSorted()
  return {
    valuesOf: (given) => {
      const values = given.reduce(mergeValues, defaults)
      return { values, problems: problemsOf(values) }
    },
    render: (values, { name, namespace }) => {
      const context = { Values: values, Release: { Name: name, Namespace: namespace }, Chart: about }
      return templates
        .flatMap((path) => engine(path, context).split(/^---$/m))
        .map((manifest) => manifest.trim())
        .filter((manifest) => KIND.test(manifest))
        .toSorted((one, other) => rankOf(one) - rankOf(other))
    },
  }
}
