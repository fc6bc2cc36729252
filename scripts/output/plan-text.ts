/** A plan as text: a summary by role, one line for each change, and diffs where they are wanted. */
import type { Event, PlannedChange } from './event.ts'
import { renderTable } from './text-table.ts'

/** Columns of the summary, by the kind of a resource (the first word of its id); every other kind is counted under `others`. */
const COLUMN_OF_KIND: Readonly<Record<string, string>> = {
  'apt-package': 'packages',
  account: 'accounts',
  file: 'files',
  directory: 'files',
  unit: 'units',
}
const COLUMNS = ['packages', 'accounts', 'files', 'units', 'others'] as const

function pluralize(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}

function columnOf(resource: string): string {
  return COLUMN_OF_KIND[resource.slice(0, resource.indexOf(':'))] ?? 'others'
}

/** How many resources of each kind a role changes; a resource with several changes counts once. */
function summaryLines(changes: readonly PlannedChange[]): readonly string[] {
  const rows = [...Map.groupBy(changes, ({ role }) => role ?? 'other')].map(([role, ofRole]) => {
    const resources = [...new Set(ofRole.map(({ resource }) => resource))]
    const counts = COLUMNS.map((column) => resources.filter((each) => columnOf(each) === column).length)
    return [role, ...counts.map((count) => (count === 0 ? '·' : String(count)))]
  })
  return renderTable([['role', ...COLUMNS], ...rows])
    .split('\n')
    .map((line) => `  ${line}`)
}

function changeLines({ action, reason, diff }: PlannedChange, hasDiffs: boolean): readonly string[] {
  const shown = hasDiffs && diff !== undefined ? diff.trimEnd().split('\n') : []
  return [`  ~ ${action}, because ${reason}`, ...shown.map((line) => `      ${line}`)]
}

/** Returns the lines of a plan. Without `hasDiffs` the last one says how to see what is left out. */
export function planLines(
  { resources, changes }: Extract<Event, { event: 'plan' }>,
  hasDiffs: boolean,
): readonly string[] {
  if (changes.length === 0) return [`no changes needed: all ${resources} resources are up to date`]
  const withDiff = changes.filter(({ diff }) => diff !== undefined).length
  const count = new Set(changes.map(({ resource }) => resource)).size
  return [
    `${pluralize(changes.length, 'change')} to ${count} of ${pluralize(resources, 'resource')}:`,
    ...summaryLines(changes),
    ...changes.flatMap((change) => changeLines(change, hasDiffs)),
    ...(hasDiffs || withDiff === 0
      ? []
      : [`  (--diff shows how the content of ${pluralize(withDiff, 'file')} changes)`]),
  ]
}
