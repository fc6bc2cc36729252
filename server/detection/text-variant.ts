/**
 * All the ways in which a text can be read: as it stands, with escapes and disguises resolved, and with what is encoded
 * in it decoded, two layers deep. Detectors look through every reading; what they find points at the text as it stands.
 */

import type { Opening } from '../core/step.ts'
import { type EncodedRun, encodedRuns, openRunStart } from './encoded-text.ts'
import type { KeywordMemo } from './keyword-index.ts'
import { type Surface, sureTo, surface } from './normalization.ts'

/** A text to look through. `span` gives the range of the original for a range of this text. */
export type Reading = Readonly<{
  text: string
  /** False for what was encoded: there a range of the original says nothing by its length. */
  isVisible: boolean
  /** Which keywords stand in it. */
  keywords: KeywordMemo
  span: (start: number, end: number) => readonly [start: number, end: number]
}>

const asItIs: Reading['span'] = (start, end) => [start, end]

/** Layers that are peeled off: base64 in base64, a percent sign that is itself percent-encoded. */
const LAYERS_MAX = 2

/**
 * Gives the readings of a text, the text itself first. None is longer than what it was made from, so that all together
 * are at most some twenty times the text, and for anything that people write little more than once.
 */
export function readings(text: string): readonly Reading[] {
  const itself: Reading = { text, isVisible: true, keywords: {}, span: asItIs }
  const plain = surface(text)
  const runs = encodedRuns(text)
  // So are nearly all texts.
  if (plain === undefined && runs.length === 0) return [itself]
  const found: Reading[] = [itself]
  const seen = new Set([text])
  const keep = (reading: Reading): boolean => {
    if (seen.has(reading.text)) return false
    seen.add(reading.text)
    found.push(reading)
    return true
  }
  let layer = [itself, ...surfaces(itself, plain, keep)]
  for (let depth = 0; depth < LAYERS_MAX; depth++) {
    const decoded = layer.flatMap((reading) =>
      decodings(reading, reading === itself ? runs : encodedRuns(reading.text), keep),
    )
    layer = decoded.flatMap((reading) => [reading, ...surfaces(reading, surface(reading.text), keep)])
  }
  return found
}

type Keep = (reading: Reading) => boolean

/** The surfaces below a reading, `first` being its own. */
function surfaces(reading: Reading, first: Surface | undefined, keep: Keep): readonly Reading[] {
  const made: Reading[] = []
  let below = reading
  for (let depth = 0; depth < LAYERS_MAX; depth++) {
    const plain = depth === 0 ? first : surface(below.text)
    if (plain === undefined) break
    const outer = below
    const span: Reading['span'] = (start, end) => outer.span(...plain.span(start, end))
    below = { text: plain.text, isVisible: reading.isVisible, keywords: {}, span }
    if (keep(below)) made.push(below)
  }
  return made
}

/** What the encoded runs of a reading say. */
function decodings(reading: Reading, runs: readonly EncodedRun[], keep: Keep): readonly Reading[] {
  const made: Reading[] = []
  for (const run of runs) {
    const whole = reading.span(run.start, run.end)
    const decoded: Reading = { text: run.text, isVisible: false, keywords: {}, span: () => whole }
    if (keep(decoded)) made.push(decoded)
  }
  return made
}

/**
 * Index from which a text that may go on has to be held back, so that no match of at most `reachChars` visible
 * characters, in any reading, can still be running before it. Escapes and invisible characters don't count as visible,
 * and an encoded run that is not over is held as a whole.
 */
export function holdFrom(text: string, reachChars: number): number {
  let from = text.length
  let span: Reading['span'] = (start, end) => [start, end]
  let shown: string | undefined = text
  for (let layer = 0; shown !== undefined; layer++) {
    for (const index of [Math.max(0, shown.length - reachChars), openRunStart(shown)]) {
      if (index < shown.length) from = Math.min(from, span(index, index + 1)[0])
    }
    const plain: ReturnType<typeof surface> = layer < LAYERS_MAX ? surface(shown) : undefined
    const outer = span
    if (plain !== undefined) span = (start, end) => outer(...plain.span(start, end))
    shown = plain?.text
  }
  return from
}

/**
 * Index from which a text that may go on has something running, in any reading: an opening's match, an encoded run, an
 * escape. `opening` is asked about what is sure of each surface.
 */
export function openStart(text: string, opening: Opening): number {
  let from = text.length
  let span: Reading['span'] = (start, end) => [start, end]
  let shown = text
  for (let layer = 0; ; layer++) {
    const sure = layer < LAYERS_MAX ? sureTo(shown) : shown.length
    for (const index of [opening(shown), openRunStart(shown), sure]) {
      if (index < shown.length) from = Math.min(from, span(Math.max(0, index), Math.max(0, index) + 1)[0])
    }
    const plain = layer < LAYERS_MAX ? surface(shown.slice(0, sure)) : undefined
    // Without an oddity the next layer is this one; it says more only when its end is not sure.
    if (plain === undefined && (sure === shown.length || layer === LAYERS_MAX)) return from
    const outer = span
    if (plain !== undefined) span = (start, end) => outer(...plain.span(start, end))
    shown = plain?.text ?? shown.slice(0, sure)
  }
}
