/**
 * Redacts spans of a text. A text that is JSON (arguments of a tool call, a structured answer) stays JSON: a string keeps
 * its quotes and escapes, a number becomes a string, and so on in the strings of it. Pure; the verdict names the kinds.
 */
import type { Finding } from '../core/finding.ts'
import { createEscapeMap } from '../protocol/escape-map.ts'
import { KEY_SUFFIX } from '../protocol/json-pointer.ts'
import { decodeString, SourceDepthError, type SourceMember, scanSource } from '../protocol/json-source.ts'
import { applyEdits, type TextEdit } from '../protocol/text-edit.ts'
import { plainEdits, redactionMark, type TextRange } from './plain-redaction.ts'

/** A finding that has to be redacted points at nothing in the body. The body is then not safe to release. */
export class RedactionError extends Error {
  override readonly name = 'RedactionError'
}

/** Kinds and spans of the findings in a text. */
export type Spans = readonly Pick<Finding, 'kind' | 'span'>[]

/** Merges overlapping spans into ranges, in the order of the text; adjacent spans stay separate. */
export function mergeSpans(findings: Spans): readonly TextRange[] {
  const sorted = [...findings].sort((a, b) => a.span[0] - b.span[0] || b.span[1] - a.span[1])
  const ranges: { start: number; end: number; kinds: string[] }[] = []
  for (const { kind, span } of sorted) {
    const last = ranges.at(-1)
    if (last === undefined || span[0] >= last.end) ranges.push({ start: span[0], end: span[1], kinds: [kind] })
    else {
      last.end = Math.max(last.end, span[1])
      if (!last.kinds.includes(kind)) last.kinds.push(kind)
    }
  }
  return ranges
}

/** Returns the text with a mark in place of each range. Throws RedactionError on a span outside the text. */
export function redactText(text: string, findings: Spans): string {
  return applyEdits(text, textEdits(text, mergeSpans(findings)))
}

function assertInside(ranges: readonly TextRange[], chars: number): void {
  const isOutside = ranges.some(({ start, end }) => start < 0 || end <= start || end > chars)
  if (isOutside) throw new RedactionError('span is not in the text')
}

/** The edits that put a mark in place of each range of a text. */
function textEdits(text: string, ranges: readonly TextRange[]): readonly TextEdit[] {
  assertInside(ranges, text.length)
  if (ranges.length === 0) return []
  return (isJson(text) ? rangeEdits(text, ranges) : undefined) ?? plainEdits(text, ranges)
}

/** True for the text of an object or a list. */
function isJson(text: string): boolean {
  if (!/^\s{0,64}[[{]/.test(text)) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** The edits of all values that ranges of JSON text touch; undefined when it is too deep to be read. */
function rangeEdits(text: string, ranges: readonly TextRange[]): readonly TextEdit[] | undefined {
  const touched = new Set<TextRange>()
  try {
    const edits = sourceEdits(text, (_pointer, start, end) => {
      const inside = rangesIn(ranges, start, end)
      for (const range of inside) touched.add(range)
      return inside.length === 0 ? inside : decodedRanges(text.slice(start, end), start, inside)
    })
    if (touched.size < ranges.length) throw new RedactionError('span is in no value')
    return edits
  } catch (cause) {
    if (cause instanceof SourceDepthError) return undefined
    throw cause
  }
}

/** Those of sorted ranges that reach into a part of their text. */
function rangesIn(ranges: readonly TextRange[], start: number, end: number): readonly TextRange[] {
  let [low, high] = [0, ranges.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ranges[middle] as TextRange).end > start) high = middle
    else low = middle + 1
  }
  let last = low
  while (last < ranges.length && (ranges[last] as TextRange).start < end) last++
  return ranges.slice(low, last)
}

/** Given ranges of the text in which a string's source stands at `start`, returns the ranges in what the string says. */
function decodedRanges(source: string, start: number, ranges: readonly TextRange[]): readonly TextRange[] {
  if (!source.startsWith('"')) return ranges
  const { decodedIndex } = createEscapeMap(source)
  return ranges.flatMap((range) => {
    const from = decodedIndex(Math.max(range.start - start, 1), false)
    const to = decodedIndex(Math.min(range.end - start, source.length - 1), true)
    return to > from ? [{ start: from, end: to, kinds: range.kinds }] : []
  })
}

/** Given the pointer and place of a value (or key: KEY_SUFFIX) in JSON text, returns the ranges in what it says. */
export type RangesAt = (pointer: string, start: number, end: number) => readonly TextRange[]

/** The edits of JSON text that redact ranges in its strings, numbers and keys. Throws SourceDepthError. */
export function sourceEdits(text: string, rangesAt: RangesAt): readonly TextEdit[] {
  const edits: TextEdit[] = []
  scanSource(text, {
    scalar: (pointer, start, end) => {
      const ranges = rangesAt(pointer, start, end)
      if (ranges.length > 0) edits.push(...scalarEdits(text.slice(start, end), start, ranges))
    },
    object: (members) => edits.push(...keyEdits(text, members, rangesAt)),
  })
  return edits
}

/** A number is replaced as a whole, by a string. */
function scalarEdits(source: string, start: number, ranges: readonly TextRange[]): readonly TextEdit[] {
  if (source.startsWith('"')) return stringEdits(source, start, ranges)
  const kinds = new Set(ranges.flatMap((range) => range.kinds))
  return [{ start, end: start + source.length, text: JSON.stringify(redactionMark([...kinds])) }]
}

/** The edits of a string's source, which stands at `start`, for ranges in what it says. */
function stringEdits(source: string, start: number, ranges: readonly TextRange[]): readonly TextEdit[] {
  const edits = textEdits(decodeString(source), ranges).toSorted((one, other) => one.start - other.start)
  const { sourceIndex } = createEscapeMap(source)
  return edits.map((edit) => ({
    start: start + sourceIndex(edit.start),
    end: start + sourceIndex(edit.end),
    text: JSON.stringify(edit.text).slice(1, -1),
  }))
}

/** The edits of an object's keys. A name that exists gets `~2`, `~3` …, so that no member is lost. */
function keyEdits(text: string, members: readonly SourceMember[], rangesAt: RangesAt): readonly TextEdit[] {
  const edits: TextEdit[] = []
  const freeName = createFreeName(new Set(members.map(({ name }) => name)))
  for (const { pointer, keyStart, keyEnd } of members) {
    const ranges = rangesAt(pointer + KEY_SUFFIX, keyStart, keyEnd)
    if (ranges.length === 0) continue
    const source = text.slice(keyStart, keyEnd)
    const redacted = decodeString(applyEdits(source, stringEdits(source, 0, ranges)))
    const name = freeName(redacted)
    edits.push(...stringEdits(source, keyStart, ranges))
    if (name !== redacted) edits.push({ start: keyEnd - 1, end: keyEnd - 1, text: name.slice(redacted.length) })
  }
  return edits
}

/** Creates what makes a name that is not among these, nor was made before: `x`, else `x~2`, `x~3` …, each in one step. */
export function createFreeName(names: Set<string>): (wanted: string) => string {
  const counts = new Map<string, number>()
  return (wanted) => {
    let name = wanted
    let count = counts.get(wanted) ?? 2
    for (; names.has(name); count++) name = `${wanted}~${count}`
    counts.set(wanted, count)
    names.add(name)
    return name
  }
}
