/** Base32 (RFC 4648) in either of its alphabets, in letters of either case. */
import type { EncodedRun } from './decoded-bytes.ts'
import { textOf, type UnpackBudget } from './packed-bytes.ts'

/** PRINTABLE_MIN bytes; a name may stand before them. In two parts as in run-text.ts. */
const RUN = /[A-Z2-7]{26}[A-Z2-7]*|[a-z2-7]{26}[a-z2-7]*/
/** Of the alphabet whose letters follow the digits. */
const EXTENDED_RUN = /[0-9A-V]{26}[0-9A-V]*|[0-9a-v]{26}[0-9a-v]*/

const DIGIT = /[2-7]/

/** Returns the text of a run; undefined when it is none. */
export function base32Text(characters: string, budget: UnpackBudget): string | undefined {
  const run = RUN.exec(characters)?.[0]
  const text = run === undefined || !DIGIT.test(run) ? undefined : textOf(bytesOf(run, 97, 24), budget)
  if (text !== undefined) return text
  const extended = EXTENDED_RUN.exec(characters)?.[0]
  return extended === undefined || !DIGIT.test(extended) ? undefined : textOf(bytesOf(extended, 87, 48), budget)
}

/** The bytes of a run in whose alphabet letters and digits are so much less than their codes. */
function bytesOf(run: string, letters: number, digits: number): Buffer {
  const bytes = Buffer.alloc((run.length * 5) >> 3)
  let [value, bits, at] = [0, 0, 0]
  for (let index = 0; index < run.length; index++) {
    const code = run.charCodeAt(index)
    value = ((value << 5) | (code < 58 ? code - digits : (code | 32) - letters)) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes[at++] = (value >> bits) & 0xff
  }
  return bytes
}

/** Groups or lines of base32. */
const GROUPS =
  /(?<![A-Za-z0-9])(?:[A-Z2-7]{4,76}(?:\s{1,9}[A-Z2-7]{1,76}){2,}|[a-z2-7]{4,76}(?:\s{1,9}[a-z2-7]{1,76}){2,})(?![A-Za-z0-9])/g

/** Of ordinary words none begins with digits, and few have one. */
const GROUP_HINT = /[A-Za-z][2-7][A-Za-z]/

/** Returns the groups of a text that hold text. */
export function base32GroupRuns(text: string, budget: UnpackBudget): readonly EncodedRun[] {
  if (!GROUP_HINT.test(text)) return []
  return [...text.matchAll(GROUPS)].flatMap(({ 0: found, index }) => {
    const decoded = GROUP_HINT.test(found) ? base32Text(found.replace(/\s/g, ''), budget) : undefined
    return decoded === undefined ? [] : [{ start: index, end: index + found.length, text: decoded }]
  })
}
