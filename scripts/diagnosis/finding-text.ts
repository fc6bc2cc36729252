/** Findings as lines of text: what is wrong first, each with its reason and what to type, then how many are well. */
import { renderNext } from '../core/failure.ts'
import { printable } from '../core/printable.ts'
import type { Finding } from './check.ts'

const MARKS = { fail: 'WRONG', warn: 'look ', ok: 'ok   ', skipped: 'skip ' } as const
const ORDER = ['fail', 'warn', 'ok', 'skipped'] as const

/** What came of the checks, by number. */
export type Counts = Readonly<Record<Finding['status'], number>>

/** Returns how many there are of each. */
export function countFindings(findings: readonly Finding[]): Counts {
  const count = (status: Finding['status']) => findings.filter((each) => each.status === status).length
  return { ok: count('ok'), skipped: count('skipped'), warn: count('warn'), fail: count('fail') }
}

function linesOf(finding: Finding, program: string): readonly string[] {
  const { id, what, status } = finding
  const first = `${MARKS[status]}  ${id}: ${what}`
  if (finding.status === 'ok') return [finding.detail === '' ? first : `${first} (${finding.detail})`]
  if (finding.status === 'skipped') return [`${first} (skipped: ${finding.reason})`]
  return [`${MARKS[status]}  ${id}: ${finding.reason}`, `       next:  ${renderNext(finding.remedy, program)}`]
}

/** Returns the lines, with an end each. With `isWhole` those that are well or skipped are there, too. */
export function renderFindings(findings: readonly Finding[], program: string, isWhole: boolean): string {
  const shown = ORDER.flatMap((status) => findings.filter((finding) => finding.status === status)).filter(
    ({ status }) => isWhole || status === 'fail' || status === 'warn',
  )
  const { ok, skipped, warn, fail } = countFindings(findings)
  const sum = `${findings.length} checks: ${fail} wrong, ${warn} to look at, ${ok} well, ${skipped} skipped`
  // What a host says is not trusted.
  return [...shown.flatMap((finding) => linesOf(finding, program)), sum].map((line) => `${printable(line)}\n`).join('')
}
