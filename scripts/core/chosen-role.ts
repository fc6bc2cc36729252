/** Which roles a command is about: all, or those of `--only`. */
import { usageFailure } from './failure.ts'
import { type Invocation, textOptions } from './invocation.ts'
import { nearest } from './nearest.ts'
import type { Resource } from './resource.ts'

/** The resources of the chosen roles, in the recipe's order. Throws a usage failure for a role that there isn't. */
export const chosenResources = (
  chapters: readonly Readonly<{ role: string; resources: readonly Resource[] }>[],
  invocation: Invocation,
): readonly Resource[] => {
  const names = chapters.map(({ role }) => role)
  const only = textOptions(invocation, 'only')
  const unknown = only.find((name) => !names.includes(name))
  if (unknown !== undefined) {
    const next = `tappass ${invocation.verb.name} --only ${nearest(unknown, names) ?? names.join('|')}`
    throw usageFailure(`there is no role "${unknown}"; roles are ${names.join(', ')}`, next)
  }
  return chapters.filter(({ role }) => only.length === 0 || only.includes(role)).flatMap(({ resources }) => resources)
}
