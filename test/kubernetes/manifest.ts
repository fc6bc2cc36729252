/** Manifests of the chart as objects, as Kubernetes reads their YAML. */
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { type Chart, openChart } from '../../scripts/chart/chart.ts'
import type { Given } from './chart-values.ts'

/** An object of Kubernetes, as far as tests look at every one. */
export type Manifest = Readonly<{
  apiVersion: string
  kind: string
  metadata: Readonly<{ name: string; namespace: string; annotations?: Readonly<Record<string, string>> }>
  // biome-ignore lint/suspicious/noExplicitAny: a test names the path that it looks at
  spec: any
}>

/** The clone. */
export const ROOT: string = join(import.meta.dirname, '../..')

/** The chart of the clone. */
export const chart: Chart = openChart(ROOT)

/** Reads a stream of documents; those that are empty are left out. */
export function readManifests(text: string): readonly Manifest[] {
  const documents = parseAllDocuments(text, { version: '1.1' })
  if (!Array.isArray(documents)) return []
  for (const { errors } of documents) if (errors[0] !== undefined) throw errors[0]
  return documents.map((document) => document.toJS() as Manifest | null).filter((manifest) => manifest !== null)
}

/** Ours. Throws where the schema refuses the values. */
export function renderManifests(given: Given, release = { name: 'tappass', namespace: 'ai' }): readonly Manifest[] {
  const { values, problems } = chart.valuesOf([given])
  if (problems.length > 0) throw new Error(problems.join('\n'))
  return readManifests(chart.render(values, release).join('\n---\n'))
}
