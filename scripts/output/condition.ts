/** What a server stands on: one thing of it, in words, and the lines that it is judged from. */

/** `state` says how it is. */
export type Condition = Readonly<{ name: string; state: string; isWell: boolean }>

/** What a script has printed as NAME=VALUE lines: the first value of a name (empty without one), and all of them. */
export type Values = Readonly<{ one: (name: string) => string; all: (name: string) => readonly string[] }>

/** Reads such lines. */
export function valuesOf(text: string): Values {
  const rows = text.split('\n').map((row) => [row.slice(0, row.indexOf('=')), row.slice(row.indexOf('=') + 1)] as const)
  const groups = Map.groupBy(rows, ([name]) => name)
  const all = (name: string) => (groups.get(name) ?? []).map(([, value]) => value.trim())
  return { one: (name) => all(name)[0] ?? '', all }
}

/** Seconds, as people say an age. */
export function ageText(seconds: number): string {
  const minutes = Math.max(0, Math.floor(seconds / 60))
  if (minutes < 120) return `${minutes} min`
  return minutes < 2 * 1440 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} days`
}
