/**
 * All variants of a text: the original, with escapes and confusables normalized, and with encoded runs decoded, two
 * layers deep. Detectors scan every variant; their findings point at the original.
 */

import type { PendingFrom } from '../core/step.ts'
import { EditableText, type EditedText, lastAtOrBefore } from './edited-text.ts'
import { begunRunStart, type EncodedRun, encodedRuns, pendingRunStart } from './encoded-text.ts'
import type { KeywordMemo } from './keyword-index.ts'
import { normalize, stableTo } from './normalization.ts'

/** A text to scan. `span` maps a range of this text to the range of the original. */
export type TextVariant = Readonly<{
  text: string
  /** False for decoded text: there the length of a range in the original means nothing. */
  isVisible: boolean
  /** The memo of its keywords. */
  keywords: KeywordMemo
  /** Of the text as it is: the places of what stands between its parts. */
  seams?: readonly number[]
  span: (start: number, end: number) => readonly [start: number, end: number]
}>

const identitySpan: TextVariant['span'] = (start, end) => [start, end]

/** Layers that are decoded: base64 in base64, a percent sign that is itself percent-encoded. */
const LAYERS_MAX = 2

/** So much before and after a seam is read without it: what is no longer than a step's reach, and some of it in escapes. */
const SEAM_CONTEXT_CHARS = 400

/**
 * Returns the variants of a text, the text itself first. None is longer than its source, so that all together are at
 * most some twenty times the text, and for anything that people write little more than once. `seams` are the places of
 * characters that stand between two parts of the text: it is also read as if they were not there.
 */
export function variantsOf(text: string, seams: readonly number[] = []): readonly TextVariant[] {
  const original: TextVariant = { text, isVisible: true, keywords: {}, span: identitySpan, seams }
  const normalized = normalize(text)
  const runs = encodedRuns(text)
  // So are nearly all texts.
  if (normalized === undefined && runs.length === 0 && seams.length === 0) return [original]
  const variants: TextVariant[] = [original]
  const seen = new Set([text])
  const add = (variant: TextVariant): boolean => {
    if (seen.has(variant.text)) return false
    seen.add(variant.text)
    variants.push(variant)
    return true
  }
  const joined = withoutSeams(original, SEAM_CONTEXT_CHARS, seams).filter(add)
  const joinedNormalized = joined.flatMap((variant) => normalizedVariants(variant, normalize(variant.text), add))
  const acrossSeams = withoutSeams(original, Number.POSITIVE_INFINITY, seams).flatMap((variant) =>
    decodedVariants(variant, runsAcross(encodedRuns(variant.text), seams), add),
  )
  let layer = [...visible(original, normalized, add), ...joinedNormalized]
  for (let depth = 0; depth < LAYERS_MAX; depth++) {
    const decoded = layer.flatMap((variant) =>
      decodedVariants(variant, variant === original ? runs : encodedRuns(variant.text), add),
    )
    if (depth === 0) decoded.push(...acrossSeams)
    layer = decoded.flatMap((variant) => visible(variant, normalize(variant.text), add))
  }
  return variants
}

/** A variant and its normalized ones. */
function visible(variant: TextVariant, normalized: EditedText | undefined, add: AddVariant): readonly TextVariant[] {
  return [variant, ...normalizedVariants(variant, normalized, add)]
}

/** The text without its seams, and without what is farther than `contextChars` from any; none when there are no seams. */
function withoutSeams(original: TextVariant, contextChars: number, seams: readonly number[]): readonly TextVariant[] {
  const edit = new EditableText(original.text, contextChars)
  for (const seam of seams) edit.replace(seam, seam + 1, '')
  const joined = edit.finish()
  return joined === undefined ? [] : [{ text: joined.text, isVisible: true, keywords: {}, span: joined.span }]
}

/** The runs in a text without its seams that one of the seams had parted. */
function runsAcross(runs: readonly EncodedRun[], seams: readonly number[]): readonly EncodedRun[] {
  // Each seam that was taken out before one moved it by one.
  const places = seams.map((seam, index) => seam - index)
  return runs.filter(({ start, end }) => {
    const last = places[lastAtOrBefore(places, end - 1)] as number
    return last > start && last < end
  })
}

type AddVariant = (variant: TextVariant) => boolean

/** The normalized variants of a variant, `firstNormalized` being the first. */
function normalizedVariants(
  variant: TextVariant,
  firstNormalized: EditedText | undefined,
  add: AddVariant,
): readonly TextVariant[] {
  const variants: TextVariant[] = []
  let current = variant
  for (let depth = 0; depth < LAYERS_MAX; depth++) {
    const normalized = depth === 0 ? firstNormalized : normalize(current.text)
    if (normalized === undefined) break
    const outer = current
    const span: TextVariant['span'] = (start, end) => outer.span(...normalized.span(start, end))
    current = { text: normalized.text, isVisible: variant.isVisible, keywords: {}, span }
    if (add(current)) variants.push(current)
  }
  return variants
}

/** The decoded runs of a variant. */
function decodedVariants(variant: TextVariant, runs: readonly EncodedRun[], add: AddVariant): readonly TextVariant[] {
  const variants: TextVariant[] = []
  for (const run of runs) {
    const span = variant.span(run.start, run.end)
    const decoded: TextVariant = { text: run.text, isVisible: false, keywords: {}, span: () => span }
    if (add(decoded)) variants.push(decoded)
  }
  return variants
}

/**
 * Index from which a text that continues has to be held back, so that no match of at most `matchCharsMax` visible
 * characters, in any variant, can be pending before it. Escapes and invisible characters don't count as visible, and
 * a pending encoded run is held as a whole.
 */
export function holdFrom(text: string, matchCharsMax: number): number {
  let from = text.length
  let span: TextVariant['span'] = (start, end) => [start, end]
  let current: string | undefined = text
  for (let layer = 0; current !== undefined; layer++) {
    for (const index of [Math.max(0, current.length - matchCharsMax), pendingRunStart(current)]) {
      if (index < current.length) from = Math.min(from, span(index, index + 1)[0])
    }
    const normalized: ReturnType<typeof normalize> = layer < LAYERS_MAX ? normalize(current) : undefined
    const outer = span
    if (normalized !== undefined) span = (start, end) => outer(...normalized.span(start, end))
    current = normalized?.text
  }
  return from
}

/**
 * Index from which something is pending in a text that continues, in any variant: a match, an encoded run, an escape.
 * `pendingFrom` is called with each normalized layer. With `isBegun` only matches count that have begun (PendingFrom),
 * and encoded runs that hold text.
 */
export function pendingStart(text: string, pendingFrom: PendingFrom, isBegun = false): number {
  let from = text.length
  let span: TextVariant['span'] = (start, end) => [start, end]
  let current = text
  for (let layer = 0; ; layer++) {
    const stable = layer < LAYERS_MAX ? stableTo(current) : current.length
    const runStart = isBegun ? begunRunStart(current) : pendingRunStart(current)
    for (const index of [pendingFrom(current, isBegun), runStart, isBegun ? current.length : stable]) {
      if (index < current.length) from = Math.min(from, span(Math.max(0, index), Math.max(0, index) + 1)[0])
    }
    const normalized = layer < LAYERS_MAX ? normalize(current.slice(0, stable)) : undefined
    // Without a change the next layer is this one; it differs only when its end is not stable.
    if (normalized === undefined && (stable === current.length || layer === LAYERS_MAX)) return from
    const outer = span
    if (normalized !== undefined) span = (start, end) => outer(...normalized.span(start, end))
    current = normalized?.text ?? current.slice(0, stable)
  }
}
