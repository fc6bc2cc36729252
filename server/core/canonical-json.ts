/** Canonical JSON: the one form of a value that is hashed. Sorted keys, no whitespace, no ASCII-escaping. */

/**
 * Given a JSON value, returns its canonical text. Undefined members are left out, as in JSON. Keys are sorted by
 * UTF-16 code units; numbers are written as JSON.stringify writes them. A value whose keys are already sorted, as
 * those of ledger entries are, costs no more than JSON.stringify.
 */
export function canonicalJson(value: unknown): string {
  return isSorted(value) ? (JSON.stringify(value) ?? 'null') : sortedJson(value)
}

function isSorted(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) return value.every(isSorted)
  let previous = ''
  // Not Object.keys, which would make a list for each object of each entry; JSON has no inherited members.
  for (const key in value) {
    const isInOrder = key > previous || previous === ''
    if (!isInOrder || isIndex(key) || !isSorted((value as Readonly<Record<string, unknown>>)[key])) return false
    previous = key
  }
  return true
}

/** An object enumerates members with integer names before all others, regardless of insertion order. */
function isIndex(key: string): boolean {
  const first = key.charCodeAt(0)
  return first >= 48 && first <= 57
}

function sortedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const members = value as Readonly<Record<string, unknown>>
  let text = ''
  for (const key of Object.keys(members).sort()) {
    if (members[key] === undefined) continue
    text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(members[key])}`
  }
  return `{${text}}`
}
