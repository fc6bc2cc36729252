/** The tables of docs/reference/detectors.md that are made from the families, the rules and the functions that they name. */
import { errorRow } from '../../../server/core/errors.ts'
import type { FindingFamily } from '../../../server/core/finding-family.ts'
import { FORMS } from '../../../server/detection/rule-form.ts'
import { RULE_FUNCTIONS } from '../../../server/rules/check/rule-functions.ts'
import { ALPHABETS } from '../../../server/rules/example-text.ts'
import { readFamilies, readRuleFiles } from '../../../server/rules/rule-source.ts'

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

function taintOf({ taint }: FindingFamily): string {
  if (taint === undefined) return '–'
  const from = taint.confidenceMin === undefined ? '' : `, confidence ${taint.confidenceMin}`
  return `by ${taint.authors.map((author) => `\`${author}\``).join(', ')}${from}`
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
    taintOf(family),
    steps.join(', ') || '–',
    (family.standards ?? []).join(', '),
  ]
}

const HEAD = [
  'family',
  'title',
  'the default policy will',
  'from',
  'error',
  'level',
  'taints the session',
  'must have reported',
  'standards',
]

/** What a rule may name, and where it names it. */
function functionRows(): readonly (readonly string[])[] {
  const { checks, grades, extends: ends, probes, finders } = RULE_FUNCTIONS
  const tables = { check: checks, grade: grades, extend: ends, probe: probes, finder: finders }
  return Object.entries(tables).flatMap(([word, named]) =>
    Object.entries(named).map(([name, { about }]) => [`\`${word}: ${name}\``, about]),
  )
}

function fileRows(): readonly (readonly string[])[] {
  return readRuleFiles().map(({ name, file }) => {
    const kinds = [...new Set(file.rules.map(({ id, kind }) => `\`${kind ?? id}\``))]
    return [`\`${name}\``, `\`${file.family}\``, String(file.rules.length), kinds.join(' ')]
  })
}

/** The blocks of the page by their names. */
const BLOCKS: Readonly<Record<string, () => string>> = {
  families: () => table(HEAD, readFamilies().map(rowOf)),
  rules: () => table(['file in `server/rules`', 'family', 'rules', 'kinds'], fileRows()),
  forms: () =>
    table(
      ['form', 'what is around the pattern'],
      Object.entries(FORMS).map(([name, { about }]) => [`\`${name}\``, about]),
    ),
  functions: () => table(['a rule says', 'what it means'], functionRows()),
  alphabets: () =>
    `Alphabets: ${Object.keys(ALPHABETS)
      .map((name) => `\`${name}\``)
      .join(', ')}.`,
}

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
