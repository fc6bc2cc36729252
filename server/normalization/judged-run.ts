/** Long runs of base64 and hexadecimal in a text, and what each is: something that can be read, or shown, or neither. */
import { contentOf, type RunContent } from './byte-content.ts'
import { OMISSION } from './edited-text.ts'
import { longRuns } from './encoded-text.ts'
import { type UnpackBudget, unpackBudget, unpackedText } from './packed-bytes.ts'

/** A run, as a half-open range of its text, and what it is. */
export type JudgedRun = Readonly<{ start: number; end: number; content: RunContent }>

/** Hashes, keys, tokens and cursors are shorter. */
const RUN_CHARS_MIN = 512

/** So many different characters has a run of either encoding at least: more than digits, and more than words. */
const HEXADECIMAL_MIN = 12
const BASE64_MIN = 32

/** Of more runs it does not matter what they are. */
const RUNS_MAX = 1000

/** The first line of certificates and public keys, which nobody has to read. */
const ARMOUR = /-----BEGIN [A-Z0-9 ]{3,40}-----\s{1,8}(?:[A-Za-z-]{3,20}: [^\n]{0,100}\n{1,2}){0,4}$/
const ARMOUR_CHARS = 300

/** Returns the long runs of a text, in order. What is packed without a mark is only known where detectors read it, too (`isEnded`). */
export function judgedRuns(text: string, isEnded: boolean): readonly JudgedRun[] {
  const budget = unpackBudget(isEnded)
  const runs: JudgedRun[] = []
  for (const { start, end } of longRuns(text, RUN_CHARS_MIN)) {
    if (runs.length === RUNS_MAX) break
    const isArmoured = (): boolean => ARMOUR.test(text.slice(Math.max(0, start - ARMOUR_CHARS), start))
    const isCut = text.startsWith(OMISSION, start - OMISSION.length)
    runs.push({ start, end, content: isCut ? 'cut' : runContent(text.slice(start, end), isArmoured, budget) })
  }
  return runs
}

/** Returns what lines of a run are. `isArmoured` says whether they stand behind the first line of a key. */
export function runContent(lines: string, isArmoured: () => boolean, budget: UnpackBudget): RunContent {
  if (isDigests(lines)) return 'none'
  const run = lines.replace(/\s/g, '')
  const isHexadecimal = /^[0-9a-fA-F]+$/.test(run)
  // One character over and over, a number, a word and a sequence of genes are no encoding of anything.
  const characters = new Set(run.slice(0, RUN_CHARS_MIN)).size
  if (characters < (isHexadecimal ? HEXADECIMAL_MIN : BASE64_MIN)) return 'none'
  const bytes = Buffer.from(run, isHexadecimal ? 'hex' : 'base64')
  const content = contentOf(bytes)
  if (content === 'text' || content === 'media' || content === 'key') return 'known'
  if (content === 'certificate' && isArmoured()) return 'known'
  if (unpackedText(bytes, budget) !== undefined) return 'known'
  // Letters may be stuck to its front.
  if ([1, 2, 3].some((shift) => contentOf(Buffer.from(run.slice(shift), 'base64')) === 'text')) return 'known'
  if (content === 'compressed' || content === 'encrypted') return content
  return isHexadecimal ? 'hexadecimal' : 'base64'
}

/** Whether nobody can read it. */
export function isUnreadable(content: RunContent): boolean {
  return content !== 'known' && content !== 'cut' && content !== 'none'
}

/** A list of hashes, a line each. */
const DIGESTS =
  /^(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{56}|[0-9a-fA-F]{64}|[0-9a-fA-F]{96}|[0-9a-fA-F]{128})(?:\s{1,9}[0-9a-fA-F]{32,128}){3,}$/

function isDigests(lines: string): boolean {
  return DIGESTS.test(lines) && new Set(lines.split(/\s+/).map(({ length }) => length)).size === 1
}
