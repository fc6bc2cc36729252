/**
 * A value behind its name, as it would stand in JSON text: `{"password": "…"}` and `{"ssn": 219099999}` say by their
 * names what the value alone does not.
 */
import type { Segment } from '../core/call.ts'

/** No match that begins in a name reaches farther back, or farther into a value. */
const NAME_CHARS_MAX = 64
const VALUE_CHARS_MAX = 256

/** Shorter numbers mean nothing without a name: they are ids, times and counts. */
const NUMBER_CHARS_MIN = 12

/** `joined` has the name and the value, which starts at `start`; `alone` has that much of the value. */
export type NamedValue = Readonly<{ joined: Segment; alone: Segment; start: number }>

/** Whether a segment is scanned without its name, too. */
export function isReadAlone({ text, isNumber }: Segment): boolean {
  return isNumber !== true || text.length >= NUMBER_CHARS_MIN
}

/** Creates what says whether a name tells something. `hasTrigger`: whether it has something in it that a match can begin with. */
export function createNameCheck(hasTrigger: (name: string) => boolean): (name: string | undefined) => boolean {
  // The items of a list have the same name.
  let last = { name: '', hasTrigger: false }
  return (name) => {
    if (name === undefined) return false
    if (name !== last.name) last = { name, hasTrigger: hasTrigger(name.slice(-NAME_CHARS_MAX)) }
    return last.hasTrigger
  }
}

/** Returns a segment's value behind its name. */
export function namedValue(segment: Segment): NamedValue {
  const { pointer, author, name = '' } = segment
  const text = segment.text.slice(0, VALUE_CHARS_MAX)
  const quote = segment.isNumber === true ? '' : '"'
  const before = `"${name.slice(-NAME_CHARS_MAX)}": ${quote}`
  return {
    joined: { pointer, author, text: before + text + quote },
    alone: { pointer, author, text },
    start: before.length,
  }
}
