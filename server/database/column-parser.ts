/**
 * How values of PostgreSQL's column types become JavaScript values: one table for every database adapter, so that a
 * row is the same from each of them. Types that are not listed are alike in all drivers: text, uuid and numeric as
 * string, int2, int4 and float8 as number, bool as boolean, json and jsonb parsed, timestamptz as Date, and arrays of
 * these as arrays.
 */

/** OIDs of types, from pg_type.dat; they never change. */
const INT8 = 20
const BYTEA = 17
const DATE = 1082
const TIMESTAMP = 1114
const NUMERIC = 1700
const INT8_ARRAY = 1016

/**
 * An int8 as a number. Throws RangeError beyond ±2^53 instead of rounding silently: sequence numbers and counts never
 * get there, and a column that may hold more is read with `::text`.
 */
export function int8Of(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`int8 ${text} does not fit a number: read it with ::text`)
  return value
}

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.slice(2), 'hex'))
}

function int8ArrayOf(text: string): (number | null)[] {
  const inside = text.slice(1, -1)
  if (inside === '') return []
  return inside.split(',').map((item) => (item === 'NULL' ? null : int8Of(item)))
}

/** Parsers by type id: each takes PostgreSQL's text form. Dates stay 'YYYY-MM-DD', as a day has no time zone. */
export const COLUMN_PARSERS: Readonly<Record<number, (text: string) => unknown>> = {
  [INT8]: int8Of,
  [INT8_ARRAY]: int8ArrayOf,
  [BYTEA]: bytesOf,
  [DATE]: (text) => text,
  [TIMESTAMP]: (text) => text,
  [NUMERIC]: (text) => text,
}
