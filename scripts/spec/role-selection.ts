/** Which roles a command is about: all, or those of `--only`. */

import { type Invocation, isGiven, textOptions } from '../command-line/invocation.ts'
import { nearest } from '../command-line/suggestion.ts'
import { usageFailure } from '../core/failure.ts'
import type { Resource } from '../core/resource.ts'

/** The role that brings about what an option says: without it the option would be passed over. */
export const ROLE_OF_OPTION: Readonly<Record<string, string>> = {
  domain: 'ingress',
  upstream: 'gateway',
  secret: 'secrets',
}

function refuseLeftOut(invocation: Invocation, only: readonly string[]): void {
  for (const [option, role] of Object.entries(ROLE_OF_OPTION)) {
    if (only.length === 0 || only.includes(role) || !isGiven(invocation, option)) continue
    throw usageFailure(
      `"--${option}" is for the role ${role}, which --only leaves out; nothing would come of it`,
      `add --only ${role}, or leave --${option} out`,
    )
  }
}

/** The resources of the chosen roles, in the recipe's order. Throws a usage failure for a role that there isn't, and for an option of one left out. */
export function chosenResources(
  chapters: readonly Readonly<{ role: string; resources: readonly Resource[] }>[],
  invocation: Invocation,
): readonly Resource[] {
  const names = chapters.map(({ role }) => role)
  const only = textOptions(invocation, 'only')
  const unknown = only.find((name) => !names.includes(name))
  if (unknown !== undefined) {
    const next = `tappass ${invocation.verb.name} --only ${nearest(unknown, names) ?? names.join('|')}`
    throw usageFailure(`there is no role "${unknown}"; roles are ${names.join(', ')}`, next)
  }
  refuseLeftOut(invocation, only)
  return chapters.filter(({ role }) => only.length === 0 || only.includes(role)).flatMap(({ resources }) => resources)
}
