/** The tables of docs/reference/detectors.md that are made from the families of findings. */
import { errorRow } from '../../../server/core/errors.ts'
import type { FindingFamily } from '../../../server/core/finding-family.ts'
import { readFamilies } from '../../../server/rules/family-file.ts'

const cells = (row: readonly string[]): string => `| ${row.join(' | ')} |`

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [cells(head), `|${'---|'.repeat(head.length)}`, ...rows.map(cells)].join('\n')
}

/** `confidence 0.5`, `severity high`, `any`. */
function thresholdOf({ confidenceMin, severityMin }: Pick<FindingFamily, 'confidenceMin' | 'severityMin'>): string {
  const parts = [
    ...(confidenceMin === undefined ? [] : [`confidence ${confidenceMin}`]),
    ...(severityMin === undefined ? [] : [`severity ${severityMin}`]),
  ]
  return parts.length === 0 ? 'any' : parts.join(', ')
}

function actionOf({ action, name, kinds = {} }: FindingFamily): string {
  const others = Object.entries(kinds).filter(([, own]) => own.action !== undefined && own.action !== action)
  const listed = others.map(([kind, own]) => `${own.action} \`${name}.${kind}\``)
  return [action, ...listed].join(', ')
}

function levelOf({ level, kinds = {} }: FindingFamily): string {
  const levels = [...new Set([level?.name, ...Object.values(kinds).map((own) => own.level?.name)])]
  return levels.filter((name) => name !== undefined).join(', ') || '–'
}

function rowOf(family: FindingFamily): readonly string[] {
  const { code, status } = errorRow(family.code ?? 'policy.blocked')
  const steps = Object.entries(family.required ?? {}).map(([step, stages]) => `\`${step}\` (${stages.join(', ')})`)
  return [
    `\`${family.name}\``,
    family.title,
    actionOf(family),
    thresholdOf(family),
    family.action === 'refuse' || family.flag !== undefined ? `${status} \`${code}\`` : '–',
    levelOf(family),
    steps.join(', ') || '–',
    (family.standards ?? []).join(', '),
  ]
}

const HEAD = ['family', 'title', 'the default policy will', 'from', 'error', 'level', 'must have reported', 'standards']

/** The blocks of the page by their names. */
const BLOCKS: Readonly<Record<string, () => string>> = { families: () => table(HEAD, readFamilies().map(rowOf)) }

/** Takes the text of the page, returns it with the blocks of today. Throws when a mark is missing. */
export function withTables(page: string): string {
  return Object.entries(BLOCKS).reduce((text, [name, write]) => {
    const start = `<!-- ${name}: written by test/server/rules/write-reference.ts -->`
    const end = `<!-- end of ${name} -->`
    const [from, to] = [text.indexOf(start), text.indexOf(end)]
    if (from < 0 || to < from) throw new Error(`docs/reference/detectors.md lacks ${start} … ${end}`)
    return `${text.slice(0, from + start.length)}\n\n${write()}\n\n${text.slice(to)}`
  }, page)
}
