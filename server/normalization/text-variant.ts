/**
 * All variants of a text: the original, with escapes and confusables normalized, and with encoded runs decoded, two
 * layers deep. Detectors scan every variant; their findings point at the original.
 */

import { base85Runs } from './base-85.ts'
import { codeListRuns } from './code-list.ts'
import { EditableText, type EditedText, lastAtOrBefore } from './edited-text.ts'
import { type EncodedRun, encodedRuns } from './encoded-text.ts'
import { groupRuns } from './letter-group.ts'
import { normalize, withoutMarks } from './normalization.ts'

/** A text to scan. `span` maps a range of this text to the range of the original. */
export type TextVariant = Readonly<{
  text: string
  /** False for decoded text: there the length of a range in the original means nothing. */
  isVisible: boolean
  /** Of the text as it is: the places of what stands between its parts. */
  seams?: readonly number[]
  /** Latin letters have lost their marks: in many languages that is another word. */
  isUnmarked?: boolean
  span: (start: number, end: number) => readonly [start: number, end: number]
}>

const identitySpan: TextVariant['span'] = (start, end) => [start, end]

/** Layers of escapes that are resolved: a percent sign that is itself percent-encoded, JSON in JSON in JSON. */
export const NORMALIZED_MAX = 4

/** Layers that are decoded: base64 in base64. */
const DECODED_MAX = 3

/** Bounds the work: all variants of a text together have at most so many times its characters, and so many besides. */
const GROWTH_MAX = 20
const EXTRA_CHARS_MAX = 1024 * 1024

/** So much before and after a seam is read without it: what is no longer than a step's reach, and some of it in escapes. */
const SEAM_CONTEXT_CHARS = 400

/**
 * Returns the variants of a text, the text itself first. None is longer than its source, so that all together are at
 * most some twenty times the text, and for anything that people write little more than once. `seams` are the places of
 * characters that stand between two parts of the text: it is also read as if they were not there. Where nothing follows the
 * text (`isWhole`), lists, groups and base85 are decoded, too.
 */
export function variantsOf(text: string, seams: readonly number[] = [], isWhole = false): readonly TextVariant[] {
  const original: TextVariant = { text, isVisible: true, span: identitySpan, seams }
  const normalized = normalize(text)
  const runsOf = isWhole ? allRuns : encodedRuns
  const runs = runsOf(text)
  // So are nearly all texts.
  const unmarked = normalized === undefined ? withoutMarks(text) : undefined
  if (normalized === undefined && runs.length === 0 && seams.length === 0 && unmarked === undefined) return [original]
  const variants: TextVariant[] = [original]
  const seen = new Set([text])
  let remaining = GROWTH_MAX * text.length + EXTRA_CHARS_MAX
  const add = (variant: TextVariant): boolean => {
    remaining -= variant.text.length
    if (seen.has(variant.text) || remaining < 0) return false
    seen.add(variant.text)
    variants.push(variant)
    return true
  }
  const joined = withoutSeams(original, SEAM_CONTEXT_CHARS, seams).filter(add)
  const joinedVariants = joined.flatMap((variant) => visible(variant, normalize(variant.text), add))
  const acrossSeams = withoutSeams(original, Number.POSITIVE_INFINITY, seams).flatMap((variant) =>
    decodedVariants(variant, runsAcross(runsOf(variant.text), seams), add),
  )
  let layer = [...visible(original, normalized, add, unmarked), ...joinedVariants]
  for (let depth = 0; depth < DECODED_MAX; depth++) {
    const decoded = layer.flatMap((variant) =>
      decodedVariants(variant, variant === original ? runs : runsOf(variant.text), add),
    )
    if (depth === 0) decoded.push(...acrossSeams)
    layer = decoded.flatMap((variant) => visible(variant, normalize(variant.text), add))
  }
  return variants
}

/** How far a list or a group goes is not known before it is over: a stream would have to hold all that may be one. */
function allRuns(text: string): readonly EncodedRun[] {
  const others = [...codeListRuns(text), ...groupRuns(text), ...base85Runs(text)]
  return others.length === 0 ? encodedRuns(text) : [...encodedRuns(text), ...others]
}

/** A variant and its normalized ones. The last of them is also added without marks; nothing is encoded in that. */
function visible(
  variant: TextVariant,
  normalized: EditedText | undefined,
  add: AddVariant,
  ownUnmarked?: EditedText,
): readonly TextVariant[] {
  const variants = [variant, ...normalizedVariants(variant, normalized, add)]
  const last = variants.at(-1) as TextVariant
  const unmarked = edited(last, ownUnmarked ?? withoutMarks(last.text))
  if (unmarked === undefined) return variants
  add({ ...unmarked, isUnmarked: true })
  const again = edited(unmarked, normalize(unmarked.text))
  if (again !== undefined) add({ ...again, isUnmarked: true })
  return variants
}

/** A variant of an edited text of a variant. */
function edited(variant: TextVariant, text: EditedText | undefined): TextVariant | undefined {
  if (text === undefined) return undefined
  const span: TextVariant['span'] = (start, end) => variant.span(...text.span(start, end))
  return { text: text.text, isVisible: variant.isVisible, span }
}

/** The text without its seams, and without what is farther than `contextChars` from any; none when there are no seams. */
function withoutSeams(original: TextVariant, contextChars: number, seams: readonly number[]): readonly TextVariant[] {
  const edit = new EditableText(original.text, contextChars)
  for (const seam of seams) edit.replace(seam, seam + 1, '')
  const joined = edit.finish()
  return joined === undefined ? [] : [{ text: joined.text, isVisible: true, span: joined.span }]
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
  for (let depth = 0; depth < NORMALIZED_MAX; depth++) {
    const normalized = edited(current, depth === 0 ? firstNormalized : normalize(current.text))
    if (normalized === undefined) break
    current = normalized
    if (add(current)) variants.push(current)
  }
  return variants
}

/** The decoded runs of a variant. */
function decodedVariants(variant: TextVariant, runs: readonly EncodedRun[], add: AddVariant): readonly TextVariant[] {
  const variants: TextVariant[] = []
  for (const run of runs) {
    const span = variant.span(run.start, run.end)
    const decoded: TextVariant = { text: run.text, isVisible: false, span: () => span }
    if (add(decoded)) variants.push(decoded)
  }
  return variants
}
