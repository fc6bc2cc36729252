/** The tables of judgement beside others: how much of each group each detector flags, and what personal data it finds. */
import { markdownTable, shareText } from './judgement-table.ts'
import type { SpanScore } from './span-score.ts'

/** What a detector made of a sample. */
export type Outcome = Readonly<{ group: string; isAttack: boolean; isFlagged: boolean; bytes: number; us: number }>

/** A detector, and what it made of all samples. */
export type Column = Readonly<{ name: string; outcomes: readonly Outcome[] }>

const flaggedText = (of: readonly Outcome[]): string =>
  of.length === 0 ? '' : shareText(of.filter(({ isFlagged }) => isFlagged).length, of.length)

/** Microseconds of processor for a KB of text. */
export function usPerKb(of: readonly Readonly<{ bytes: number; us: number }>[]): string {
  const sum = (member: 'bytes' | 'us'): number => of.reduce((total, one) => total + one[member], 0)
  return ((1024 * sum('us')) / sum('bytes')).toFixed(0)
}

/** A row for each group, one for all ordinary and all attacks together, and the processor time; a column for each detector. */
export function peerTable(columns: readonly Column[]): string {
  const [first = { name: '', outcomes: [] }] = columns
  const line = (name: string, isIn: (outcome: Outcome) => boolean): readonly string[] => {
    const of = first.outcomes.filter(isIn)
    const kind = of[0]?.isAttack === true ? 'attacks' : 'ordinary'
    return [name, kind, String(of.length), ...columns.map(({ outcomes }) => flaggedText(outcomes.filter(isIn)))]
  }
  const groups = [...new Set(first.outcomes.map(({ group }) => group))]
  const kinds = [false, true].filter((isAttack) => first.outcomes.some((outcome) => outcome.isAttack === isAttack))
  return markdownTable(
    ['set', 'rows are', 'n', ...columns.map(({ name }) => `${name} (%)`)],
    [
      ...groups.map((group) => line(group, (outcome) => outcome.group === group)),
      ...kinds.map((isAttack) =>
        line(`all that are ${isAttack ? 'attacks' : 'ordinary'}`, (outcome) => outcome.isAttack === isAttack),
      ),
      ['processor, µs per KB', '', '', ...columns.map(({ outcomes }) => usPerKb(outcomes))],
    ],
  )
}

/** Scores of a detector by kind, and its processor time for a KB. */
export type SpanColumn = Readonly<{ name: string; scores: ReadonlyMap<string, SpanScore>; usPerKb: string }>

/** Recall and precision of each kind, a column each for every detector. */
export function spanTable(columns: readonly SpanColumn[]): string {
  const kinds = [...(columns[0]?.scores.keys() ?? [])]
  const share = (part: number, whole: number): string => (whole === 0 ? '–' : shareText(part, whole))
  const lines = kinds.map((kind) => {
    const of = columns.map(({ scores }) => scores.get(kind) ?? { right: 0, exact: 0, missed: 0, wrong: 0 })
    const labelled = (of[0]?.right ?? 0) + (of[0]?.missed ?? 0)
    const cells = of.flatMap(({ right, missed, wrong }) => [share(right, right + missed), share(right, right + wrong)])
    return [kind, String(labelled), ...cells]
  })
  return markdownTable(
    ['kind', 'in the set', ...columns.flatMap(({ name }) => [`${name}: recall (%)`, 'precision (%)'])],
    [...lines, ['processor, µs per KB', '', ...columns.flatMap((column) => [column.usPerKb, ''])]],
  )
}
