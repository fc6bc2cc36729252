/** Settings as they are written, before they are judged: a mapping, and how one lies over another. */

/** A mapping of YAML. */
export type Mapping = Readonly<Record<string, unknown>>

/** Whether a value is a mapping, no list and no scalar. */
export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Returns the settings with others over them: mappings key by key, all else (a list, too) as a whole. What is no mapping below stays, to be refused. */
export function mergeSettings(below: unknown, above: Mapping): unknown {
  if (below === null || below === undefined) return above
  if (!isMapping(below)) return below
  const merged: Record<string, unknown> = { ...below }
  for (const [key, value] of Object.entries(above)) {
    merged[key] = isMapping(value) && isMapping(below[key]) ? mergeSettings(below[key], value) : value
  }
  return merged
}
