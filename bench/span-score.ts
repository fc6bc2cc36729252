/** Personal data against labelled spans: how many are found, and how much of what is found is right. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What presidio-research (and Presidio) call a type, and our kind for it. */
export const KIND_OF_TYPE: Readonly<Record<string, string>> = {
  CREDIT_CARD: 'pii.credit_card',
  US_SSN: 'pii.ssn',
  PHONE_NUMBER: 'pii.phone',
  EMAIL_ADDRESS: 'pii.email',
  IBAN_CODE: 'pii.iban',
  IP_ADDRESS: 'pii.ip_address',
  US_DRIVER_LICENSE: 'pii.driver_license',
}

/** A text of pii-dev.jsonl. */
export type PiiRow = Readonly<{
  text: string
  spans: readonly Readonly<{ type: string; start: number; end: number }>[]
}>

/** What was found in a text, in our kinds. */
export type KindSpan = Readonly<{ kind: string; span: readonly [start: number, end: number] }>

/** `right`: labelled and found; `exact`: at exactly its place; `missed`: labelled and not found; `wrong`: found and not labelled. */
export type SpanScore = Readonly<{ right: number; exact: number; missed: number; wrong: number }>

/** The rows of pii-dev.jsonl. */
export function readPiiRows(folder: string): readonly PiiRow[] {
  const lines = readFileSync(join(folder, 'pii-dev.jsonl'), 'utf8').trim().split('\n')
  return lines.map((line) => JSON.parse(line) as PiiRow)
}

/** Scores by kind; `found` are the findings of each row. */
export function scoreSpans(
  rows: readonly PiiRow[],
  found: readonly (readonly KindSpan[])[],
): ReadonlyMap<string, SpanScore> {
  return new Map(Object.entries(KIND_OF_TYPE).map(([type, kind]) => [kind, scoreKind(rows, found, type, kind)]))
}

function scoreKind(
  rows: readonly PiiRow[],
  found: readonly (readonly KindSpan[])[],
  type: string,
  kind: string,
): SpanScore {
  const score = { right: 0, exact: 0, missed: 0, wrong: 0 }
  for (const [index, { spans }] of rows.entries()) {
    const wanted = spans.filter((span) => span.type === type)
    const ours = (found[index] ?? []).filter((one) => one.kind === kind)
    for (const span of wanted) {
      const hit = ours.find((one) => overlaps(one, span))
      if (hit === undefined) score.missed++
      else score.right++
      if (hit?.span[0] === span.start && hit.span[1] === span.end) score.exact++
    }
    score.wrong += ours.filter((one) => !wanted.some((span) => overlaps(one, span))).length
  }
  return score
}

const overlaps = ({ span }: KindSpan, { start, end }: Readonly<{ start: number; end: number }>): boolean =>
  span[0] < end && span[1] > start
