/** Where a variant of a text that continues may still change: what a stream has to hold back. */
import type { PendingFrom, PendingMatches } from '../core/step.ts'
import type { EditedText } from './edited-text.ts'
import { begunRunStart, pendingRunStart } from './encoded-text.ts'
import { normalize, stableTo, withoutMarks } from './normalization.ts'
import { NORMALIZED_MAX } from './text-variant.ts'

type Span = EditedText['span']

const identitySpan: Span = (start, end) => [start, end]

function composed(outer: Span, inner: Span): Span {
  return (start, end) => outer(...inner(start, end))
}

/**
 * Index from which a text that continues has to be held back, so that no match of at most `matchCharsMax` visible
 * characters, in any variant, can be pending before it. Escapes and invisible characters don't count as visible, and
 * a pending encoded run is held as a whole.
 */
export function holdFrom(text: string, matchCharsMax: number): number {
  let from = text.length
  const hold = (current: string, span: Span): void => {
    for (const index of [Math.max(0, current.length - matchCharsMax), pendingRunStart(current)]) {
      if (index < current.length) from = Math.min(from, span(index, index + 1)[0])
    }
  }
  let span = identitySpan
  let current = text
  hold(current, span)
  for (let layer = 0; layer < NORMALIZED_MAX; layer++) {
    const normalized = normalize(current)
    if (normalized === undefined) break
    span = composed(span, normalized.span)
    current = normalized.text
    hold(current, span)
  }
  const unmarked = withoutMarks(current)
  if (unmarked !== undefined) hold(unmarked.text, composed(span, unmarked.span))
  return from
}

/**
 * Index from which something is pending in a text that continues, in any variant: a match, an encoded run, an escape.
 * `pendingFrom` is called with each normalized layer. With `only` just these matches count (PendingFrom), and of encoded
 * runs, which have no value of their own, those that hold text.
 */
export function pendingStart(text: string, pendingFrom: PendingFrom, only?: PendingMatches): number {
  let from = text.length
  const pend = (current: string, span: Span, stable: number): void => {
    for (const index of [pendingFrom(current, only), pendingRun(current, only), only ? current.length : stable]) {
      if (index < current.length) from = Math.min(from, span(Math.max(0, index), Math.max(0, index) + 1)[0])
    }
  }
  let span = identitySpan
  let current = text
  for (let layer = 0; ; layer++) {
    const stable = layer < NORMALIZED_MAX ? stableTo(current) : current.length
    pend(current, span, stable)
    const normalized = layer < NORMALIZED_MAX ? normalize(current.slice(0, stable)) : undefined
    // Without a change the next layer is this one; it differs only when its end is not stable.
    if (normalized === undefined && (stable === current.length || layer === NORMALIZED_MAX)) break
    if (normalized !== undefined) span = composed(span, normalized.span)
    current = normalized?.text ?? current.slice(0, stable)
  }
  const unmarked = withoutMarks(current)
  if (unmarked !== undefined) pend(unmarked.text, composed(span, unmarked.span), unmarked.text.length)
  return from
}

function pendingRun(text: string, only: PendingMatches | undefined): number {
  if (only === 'valued') return text.length
  return only === 'begun' ? begunRunStart(text) : pendingRunStart(text)
}
