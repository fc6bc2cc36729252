/** Which releases were accepted on a host, when, and by whom: read from its log, where each run that moved it is noted. */
import type { Generation } from '../history/entry.ts'
import { outcomeOf } from '../history/entry.ts'
import { operatorOf } from '../history/generation-view.ts'

/** A release that came into force: with the run that brought it, and how long that took. */
export type Acceptance = Readonly<{ version: string; at: string; by: string; run: number; seconds: number }>

/** A run with this outcome has seen every gate passed, and has moved the link. */
const ACCEPTED = ['up-to-date', 'unhealthy']

/** Returns how often and when a release came into force, in the order of the runs. A run that changed settings only is none of them. */
export function acceptances(generations: readonly Generation[]): readonly Acceptance[] {
  const found: Acceptance[] = []
  for (const generation of generations) {
    const { begun, end, number } = generation
    if (end?.kind !== 'ended' || !ACCEPTED.includes(outcomeOf(generation))) continue
    if (found.at(-1)?.version === begun.release) continue
    const seconds = Math.round((Date.parse(end.at) - Date.parse(begun.at)) / 1000)
    found.push({ version: begun.release, at: end.at, by: operatorOf(generation), run: number, seconds })
  }
  return found
}

/** Returns the release to go back to: the one that was in force before the current one and is still there. */
export function releaseBefore(
  accepted: readonly Acceptance[],
  current: string | undefined,
  installed: readonly string[],
): string | undefined {
  const last = accepted.findLastIndex(({ version }) => version === current)
  const earlier = (last === -1 ? accepted : accepted.slice(0, last)).map(({ version }) => version)
  return earlier.findLast((version) => version !== current && installed.includes(version))
}

/** How long an upgrade took on this host: the middle of the last ones, and how many they were. The first run is an installation. */
export function durationOf(accepted: readonly Acceptance[]): Readonly<{ seconds: number | undefined; runs: number }> {
  const last = accepted
    .slice(1)
    .slice(-5)
    .map(({ seconds }) => seconds)
    .toSorted((a, b) => a - b)
  return { seconds: last[Math.floor(last.length / 2)], runs: last.length }
}
