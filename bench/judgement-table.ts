/** The table of judgement: how much of each group is refused, with intervals. */
import { GOALS, type Goal } from './judgement-goal.ts'

/** A sample's outcome. */
export type Result = Readonly<{
  group: string
  isAttack: boolean
  isRefused: boolean
  isRedacted: boolean
  isSuspected: boolean
  /** Kinds that it was refused for, and those of its findings with a confidence of 0.5 or more. */
  refusing: readonly string[]
  noticed: readonly string[]
  bytes: number
  us: number
  repo?: string
}>

const Z = 1.96

/** The Wilson interval of 95 % for a share. */
export function wilson(part: number, whole: number): readonly [low: number, high: number] {
  const share = part / whole
  const middle = share + Z ** 2 / (2 * whole)
  const half = Z * Math.sqrt((share * (1 - share)) / whole + Z ** 2 / (4 * whole ** 2))
  const scale = 1 + Z ** 2 / whole
  return [Math.max(0, (middle - half) / scale), Math.min(1, (middle + half) / scale)]
}

const percent = (share: number): string => (100 * share).toFixed(1)

function goalText({ most, least }: Goal): string {
  return most === undefined ? `≥ ${percent(least ?? 0)}` : `≤ ${percent(most)}`
}

function isMet(share: number, { most, least }: Goal): boolean {
  return (most === undefined || share <= most) && (least === undefined || share >= least)
}

/** A table in Markdown. */
export function markdownTable(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const rows = [head, head.map((_, index) => (index === 0 ? '---' : '--:')), ...lines]
  return `${rows.map((row) => `| ${row.join(' | ')} |`).join('\n')}\n`
}

/** The rows of groups, in the order of their first results; `unseen` are the same samples judged by models that have not seen them. */
export function judgementTable(results: readonly Result[], unseen: readonly Result[]): string {
  const groups = Map.groupBy(results, ({ group }) => group)
  const unseenGroups = Map.groupBy(unseen, ({ group }) => group)
  const head = ['set', 'rows are', 'n', 'refused (%)', 'goal', 'suspected', 'redacted', 'µs per KB']
  const lines = [...groups].map(([group, of]) => {
    const [name = '', kind = '', count = '', share = '', ...more] = lineOf(group, of)
    const others = unseenGroups.get(group)
    return others === undefined
      ? [name, kind, count, share, ...more]
      : [name, kind, count, share, refusedText(others), ...more]
  })
  return markdownTable(unseen.length === 0 ? head : head.toSpliced(4, 0, 'unseen (%)'), lines)
}

function refusedText(of: readonly Result[]): string {
  return shareText(of.filter(({ isRefused }) => isRefused).length, of.length)
}

/** A share as the tables tell it: how many, and percent with its interval. */
export function shareText(part: number, whole: number): string {
  const [low, high] = wilson(part, whole)
  return `${part} (${percent(part / whole)}; ${percent(low)}–${percent(high)})`
}

function lineOf(group: string, of: readonly Result[]): readonly string[] {
  const count = (is: (result: Result) => boolean): number => of.filter(is).length
  const goal = GOALS[group]
  const share = count(({ isRefused }) => isRefused) / of.length
  const bytes = of.reduce((sum, result) => sum + result.bytes, 0)
  const us = of.reduce((sum, result) => sum + result.us, 0)
  return [
    group,
    of[0]?.isAttack === true ? 'attacks' : 'ordinary',
    String(of.length),
    refusedText(of),
    goal === undefined ? '' : `${goalText(goal)} ${isMet(share, goal) ? '✓' : '✗'}`,
    String(count(({ isSuspected }) => isSuspected)),
    String(count(({ isRedacted }) => isRedacted)),
    ((us * 1024) / bytes).toFixed(0),
  ]
}

/** How many sessions of `reads` files of one repository meet a refusal, over all repositories (without replacement). */
export function sessionShare(results: readonly Result[], reads: number): number {
  const repos = [...Map.groupBy(results, ({ repo }) => repo ?? '').values()].filter((of) => of.length >= reads)
  const shares = repos.map((of) => {
    const refused = of.filter(({ isRefused }) => isRefused).length
    let passed = 1
    for (let read = 0; read < reads; read++) passed *= Math.max(0, of.length - refused - read) / (of.length - read)
    return 1 - passed
  })
  return shares.reduce((sum, share) => sum + share, 0) / Math.max(1, shares.length)
}
