/**
 * JSON as a value in which numbers that a double does not keep stay as they are written: `18446744073709551615`, `1.0`,
 * `-0`, `1e999`. JSON.stringify writes them so (raw JSON, ECMAScript 2026).
 */

/** What the library types of TypeScript do not have yet. */
type RawJson = Readonly<{
  rawJSON: (source: string) => Readonly<{ rawJSON: string }>
  isRawJSON: (value: unknown) => value is Readonly<{ rawJSON: string }>
  parse: (text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown) => unknown
}>

const { rawJSON, isRawJSON, parse } = JSON as unknown as RawJson

/** Where such a number may stand; what is in strings is a false alarm, which costs time only. */
const INEXACT = /[:,[]\s*(?:-?\d{16}|-?[\d.]{18}|-?\d+(?:\.\d+)?[eE]|-?\d+\.\d*0(?!\d)|-0(?![.\d]))/

/** True for JSON with such a number; false alarms are possible. */
export function hasInexactNumber(text: string): boolean {
  return INEXACT.test(text)
}

/** Parses JSON. Throws as JSON.parse does. */
export function parseExact(text: string): unknown {
  if (!hasInexactNumber(text)) return JSON.parse(text)
  return parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && (String(value) !== source || Object.is(value, -0))
      ? rawJSON(source)
      : value,
  )
}

/** Returns a number as it was written; undefined for any other value. */
export function exactNumber(value: unknown): string | undefined {
  return isRawJSON(value) ? value.rawJSON : undefined
}

/** Numbers with larger exponents are no numbers of anything. */
const EXPONENT_MAX = 40

/** Returns the digits of a JSON number before its decimal point; undefined for a number that is none of anything. */
export function integerDigits(source: string): string | undefined {
  const [, whole = '', fraction = '', exponent = '0'] = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(source) ?? []
  const shift = Number(exponent)
  if (whole === '' || Math.abs(shift) > EXPONENT_MAX) return undefined
  if (shift < 0) return whole.slice(0, shift)
  return whole + fraction.slice(0, shift).padEnd(shift, '0')
}
