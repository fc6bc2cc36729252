/**
 * All variants of a text: the original, with escapes and confusables normalized, and with encoded runs decoded, two
 * layers deep. Detectors scan every variant; their findings point at the original.
 */

import { hash } from 'node:crypto'
import type { TextOrigin } from '../core/call.ts'
import type { EncodedRun } from './decoded-bytes.ts'
import { EditableText, type EditedText } from './edited-text.ts'
import { encodedRuns, type UnreadRun } from './encoded-text.ts'
import { withoutJoints } from './joined-string.ts'
import { isPlainAscii, normalize, withoutMarks } from './normalization.ts'
import { unpackBudget } from './packed-bytes.ts'
import { lastAtOrBefore } from './position-map.ts'
import { wholeTextRuns } from './whole-text.ts'

/** A text to scan. `span` maps a range of this text to the range of the original. */
export type TextVariant = Readonly<{
  text: string
  /** False for decoded text: there the length of a range in the original means nothing. */
  isVisible: boolean
  /** Of the text as it is: whether it has nothing but printable ASCII and blanks. */
  isAscii?: boolean
  /** Of the text as it is: the places of what stands between its parts. */
  seams?: readonly number[]
  /** What is far from a change is left out. */
  isEdited?: boolean
  /** Latin letters have lost their marks: in many languages that is another word. */
  isUnmarked?: boolean
  /** Runs that are encoded and could not be read: too large when unpacked, or too deep. */
  unread: readonly UnreadRun[]
  span: (start: number, end: number) => readonly [start: number, end: number]
}>

const identitySpan: TextVariant['span'] = (start, end) => [start, end]

/** Layers of escapes that are resolved: a percent sign that is itself percent-encoded, JSON in JSON in JSON. */
export const NORMALIZED_MAX = 4

/** Layers that are decoded: base64 in base64. */
const DECODED_MAX = 3

/** Bounds the work: all variants of a text together have at most so many times its characters, and so many besides. */
const GROWTH_MAX = 20
const EXTRA_CHARS_MAX = 2 * 1024 * 1024

/** A text has more variants than can be read. Not read means refused. */
export class VariantError extends Error {
  override readonly name = 'VariantError'
}

/** So much before and after a seam is read without it: what is no longer than a step's reach, and some of it in escapes. */
const SEAM_CONTEXT_CHARS = 400

/**
 * Returns the variants of a text, the text itself first; for anything that people write little more than the text.
 * `seams` are the places of characters that stand between two parts of the text: it is also read as if they were not
 * there. In requests lists, groups and base85 are decoded, too, and in all that does not go on what is packed without a mark. Throws
 * VariantError.
 */
export function variantsOf(
  text: string,
  seams: readonly number[] = [],
  origin: TextOrigin = 'stream',
): readonly TextVariant[] {
  const isAscii = isPlainAscii(text)
  const original: Draft = { text, isVisible: true, isAscii, span: identitySpan, seams, unread: [] }
  const runsOf = createRunReader(origin)
  const normalized = normalize(text, isAscii)
  const runs = runsOf(original)
  const unmarked = isAscii || normalized !== undefined ? undefined : withoutMarks(text)
  const whole = origin === 'request' ? withoutJoints(text) : undefined
  // So are nearly all texts.
  if (normalized === undefined && runs.length === 0 && seams.length === 0 && (unmarked ?? whole) === undefined)
    return [original]
  const variants: TextVariant[] = [original]
  const add = createAdd(variants, GROWTH_MAX * text.length + EXTRA_CHARS_MAX)
  const joined = seamGroups(seams).flatMap((group) => withoutSeams(original, SEAM_CONTEXT_CHARS, group).filter(add))
  const joinedVariants = joined.flatMap((variant) => visible(variant, normalize(variant.text), add))
  const acrossSeams = withoutSeams(original, Number.POSITIVE_INFINITY, seams).flatMap((variant) =>
    decodedVariants(variant, runsAcross(runsOf(variant), seams), add),
  )
  const together = [edited(original, whole)].filter((variant) => variant !== undefined).filter(add)
  const togetherVariants = together.flatMap((variant) => visible(variant, normalize(variant.text), add))
  let layer: readonly Draft[] = [
    ...visible(original, normalized, add, unmarked),
    ...joinedVariants,
    ...togetherVariants,
  ]
  for (let depth = 0; depth < DECODED_MAX; depth++) {
    const decoded = layer.flatMap((variant) =>
      decodedVariants(variant, variant === original ? runs : runsOf(variant), add),
    )
    if (depth === 0) decoded.push(...acrossSeams)
    layer = decoded.flatMap((variant) => visible(variant, normalize(variant.text), add))
  }
  for (const deepest of layer) deepest.unread.push(...runsOf(deepest))
  return variants
}

/** A variant whose runs have not been looked for yet. */
type Draft = TextVariant & { readonly unread: UnreadRun[] }

/** Returns a function that finds the runs of variants of one text, and tells each which of its runs it could not read. */
function createRunReader(origin: TextOrigin): (variant: Draft) => readonly EncodedRun[] {
  const budget = unpackBudget(origin !== 'stream')
  return ({ text, unread }) => {
    const runs = encodedRuns(text, budget, unread)
    if (origin !== 'request') return runs
    // How far the others go is not known before they are over: a stream would have to hold all that may be one. Of an answer
    // with code in it they would be most of what it costs.
    const others = wholeTextRuns(text, budget, unread)
    return others.length === 0 ? runs : [...runs, ...others]
  }
}

/** V8 hashes a longer string more than ten times as slowly a character (14.6: 200 us for 32 KB, where SHA-256 takes 20). */
const KEY_CHARS_MAX = 16_000

/** Stands for a text in a set. */
function keyOf(text: string): string {
  return text.length <= KEY_CHARS_MAX ? text : hash('sha256', text)
}

function createAdd(variants: TextVariant[], charsMax: number): AddVariant {
  const original = variants[0]?.text
  const seen = new Set<string>()
  let remaining = charsMax
  return (variant) => {
    const key = keyOf(variant.text)
    if (variant.text === original || seen.has(key)) return false
    remaining -= variant.text.length
    if (remaining < 0) throw new VariantError('a text has more variants than can be read')
    seen.add(key)
    variants.push(variant)
    return true
  }
}

/** A variant and its normalized ones. The last of them is also added without marks; nothing is encoded in that. */
function visible(
  variant: Draft,
  normalized: EditedText | undefined,
  add: AddVariant,
  ownUnmarked?: EditedText,
): readonly Draft[] {
  const variants = [variant, ...normalizedVariants(variant, normalized, add)]
  const last = variants.at(-1) as Draft
  const unmarked = edited(last, ownUnmarked ?? withoutMarks(last.text))
  if (unmarked === undefined) return variants
  add({ ...unmarked, isUnmarked: true })
  const again = edited(unmarked, normalize(unmarked.text))
  if (again !== undefined) add({ ...again, isUnmarked: true })
  return variants
}

/** A variant of an edited text of a variant. */
function edited(variant: TextVariant, text: EditedText | undefined): Draft | undefined {
  if (text === undefined) return undefined
  const span: TextVariant['span'] = (start, end) => variant.span(...text.span(start, end))
  return { text: text.text, isVisible: variant.isVisible, span, isEdited: true, unread: [] }
}

/**
 * All seams; and every other one, since what is cut in two stands between parts of which it is no part. Together these
 * are read twice, however many there are.
 */
function seamGroups(seams: readonly number[]): readonly (readonly number[])[] {
  if (seams.length < 2) return [seams]
  return [seams, ...[0, 1].map((rest) => seams.filter((_, index) => index % 2 === rest))]
}

/** The text without its seams, and without what is farther than `contextChars` from any; none when there are no seams. */
function withoutSeams(original: TextVariant, contextChars: number, seams: readonly number[]): readonly Draft[] {
  const edit = new EditableText(original.text, contextChars)
  for (const seam of seams) edit.replace(seam, seam + 1, '')
  const joined = edit.finish()
  return joined === undefined
    ? []
    : [{ text: joined.text, isVisible: true, span: joined.span, isEdited: true, unread: [] }]
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

type AddVariant = (variant: Draft) => boolean

/** The normalized variants of a variant, `firstNormalized` being the first. */
function normalizedVariants(
  variant: Draft,
  firstNormalized: EditedText | undefined,
  add: AddVariant,
): readonly Draft[] {
  const variants: Draft[] = []
  let current = variant
  for (let depth = 0; depth < NORMALIZED_MAX; depth++) {
    const normalized = edited(current, depth === 0 ? firstNormalized : normalize(current.text))
    if (normalized === undefined) break
    current = normalized
    if (add(current)) variants.push(current)
  }
  return variants
}

/** The decoded runs of a variant. */
function decodedVariants(variant: Draft, runs: readonly EncodedRun[], add: AddVariant): readonly Draft[] {
  const variants: Draft[] = []
  for (const run of runs) {
    const span = variant.span(run.start, run.end)
    const decoded: Draft = { text: run.text, isVisible: false, span: () => span, unread: [] }
    if (add(decoded)) variants.push(decoded)
  }
  return variants
}
