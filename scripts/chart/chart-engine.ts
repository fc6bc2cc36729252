/** Renders the chart's templates with Handlebars: the functions of Helm that they use, by their names, with Helm's meaning. */
import { stringify } from 'yaml'
import { createTemplateEngine } from '../core/template.ts'
import { translateTemplate } from './chart-template.ts'

/** What templates see: `Values`, `Release`, `Chart`. */
export type ChartContext = Readonly<Record<string, unknown>>

type Block = Readonly<{ fn: (context: unknown, options?: object) => string; inverse: (context: unknown) => string }>
type Render = (context: unknown) => string

/** White space is the template's own business: Handlebars would take away the line of a block as well. */
const HOW = { noEscape: true, ignoreStandalone: true }

/** YAML of version 1.1, as Kubernetes reads it: "off" stays a text. */
export const YAML_VERSION = { version: '1.1' } as const

/** As in Go, an empty list and an empty object are false, too. */
function isTrue(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0
  return Boolean(value)
}

function textOf(value: unknown): string {
  return value === undefined || value === null ? '' : String(value)
}

function indented(spaces: number, text: string): string {
  return text.replaceAll(/^/gm, ' '.repeat(spaces))
}

/** Functions of values. */
const FUNCTIONS: Readonly<Record<string, (...values: never[]) => unknown>> = {
  print: textOf,
  list: (...values: unknown[]) => values,
  add: (...values: number[]) => values.reduce((sum, value) => sum + value, 0),
  div: (value: number, by: number) => Math.trunc(value / by),
  eq: (one: unknown, other: unknown) => one === other,
  not: (value: unknown) => !isTrue(value),
  default: (fallback: unknown, value: unknown) => (isTrue(value) ? value : fallback),
  quote: (value: unknown) => JSON.stringify(textOf(value)),
  replace: (old: string, by: string, text: string) => text.replaceAll(old, () => by),
  nindent: (spaces: number, text: string) => `\n${indented(spaces, text)}`,
  toYaml: (value: unknown) => stringify(value, { ...YAML_VERSION, lineWidth: 0 }).trimEnd(),
}

function each(items: unknown, { fn }: Block): string {
  const pairs = Array.isArray(items)
    ? items.map((item, at) => [at, item] as const)
    : Object.entries(items ?? {}).toSorted(([one], [other]) => (one < other ? -1 : 1))
  return pairs.map(([key, item]) => fn(item, { blockParams: [item, key] })).join('')
}

/** Takes the chart's files by their paths in it, and gives what renders one of its templates. An unknown function throws when it is reached. */
export function createChartEngine(files: ReadonlyMap<string, string>): (path: string, context: ChartContext) => string {
  const engine = createTemplateEngine()
  const templates = new Map<string, Render>()
  // Handlebars gives its own options behind the arguments.
  for (const [name, work] of Object.entries(FUNCTIONS))
    engine.registerHelper(name, (...values: unknown[]) => work(...(values.slice(0, -1) as never[])))
  engine.registerHelper('include', (name: string, context: unknown) => {
    const template = templates.get(`define ${name}`)
    if (template === undefined) throw new Error(`no template of the chart is called "${name}"`)
    return template(context)
  })
  engine.registerHelper('file', (path: string) => textOf(files.get(path)))
  engine.registerHelper('if', function (this: unknown, value: unknown, { fn, inverse }: Block) {
    return isTrue(value) ? fn(this) : inverse(this)
  })
  engine.registerHelper('with', function (this: unknown, value: unknown, { fn, inverse }: Block) {
    return isTrue(value) ? fn(value) : inverse(this)
  })
  engine.registerHelper('each', each)
  for (const [path, text] of files) {
    if (!path.startsWith('templates/') || path.endsWith('.txt')) continue
    const { main, defined } = translateTemplate(text)
    templates.set(path, engine.compile(main, HOW))
    for (const [name, body] of Object.entries(defined)) templates.set(`define ${name}`, engine.compile(body, HOW))
  }
  return (path, context) => templates.get(path)?.(context) ?? ''
}
