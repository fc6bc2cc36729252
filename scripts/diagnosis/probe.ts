/** What the checks ask on a host: all of it in one process. */
import type { Fact } from '../core/host.ts'

/** By key: the first value (empty where there is none), all values, and the first as a number (NaN where there is none). */
export type Probe = Readonly<{
  one: (key: string) => string
  all: (key: string) => readonly string[]
  number: (key: string) => number
}>

/** Reads lines of a key, a blank and a value. */
export function parseProbe(text: string): Probe {
  const rows = text.split('\n').map((line) => {
    const end = line.indexOf(' ')
    return end < 0 ? ([line, ''] as const) : ([line.slice(0, end), line.slice(end + 1).trim()] as const)
  })
  const values = Map.groupBy(rows, ([key]) => key)
  const all = (key: string) => (values.get(key) ?? []).map(([, value]) => value)
  const one = (key: string) => all(key)[0] ?? ''
  return { one, all, number: (key) => (one(key) === '' ? Number.NaN : Number(one(key))) }
}

/** Each topic's text runs in a shell of its own: one that fails says nothing about the others. */
export function probeFact(texts: readonly string[]): Fact<Probe> {
  const script = texts.map((text) => `(\n${text}\n) 2>/dev/null </dev/null`).join('\n')
  return {
    query: { argv: ['sh', '-c', `${script}\nexit 0`], effect: 'read', deadlineMs: 60_000, isLong: true },
    parse: ({ stdout }) => parseProbe(stdout),
  }
}
