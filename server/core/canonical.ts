/** Canonical JSON: the one text of a value that is hashed. Sorted keys, no whitespace, no ASCII-escaping. */

/**
 * Takes a JSON value, gives its canonical text. Members that are undefined are left out, as in JSON. Keys are sorted by
 * UTF-16 code units; numbers are written as JSON.stringify writes them.
 */
export function canonicalJson(value: unknown): string {
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
