/** Selects roles: all, or those of `--only`. */

import { commandHint } from '../command-line/command-hint.ts'
import { type Invocation, isGiven, textOptions } from '../command-line/invocation.ts'
import { nearest } from '../command-line/suggestion.ts'
import { usageFailure } from '../core/failure.ts'
import type { Resource } from '../core/resource.ts'

/** The role that applies an option: without it the option would have no effect. */
export const ROLE_OF_OPTION: Readonly<Record<string, string>> = {
  domain: 'ingress',
  upstream: 'gateway',
  data: 'gateway',
  secret: 'secrets',
}

function rejectUnusedOption(invocation: Invocation, only: readonly string[]): void {
  for (const [option, role] of Object.entries(ROLE_OF_OPTION)) {
    if (only.length === 0 || only.includes(role) || !isGiven(invocation, option)) continue
    throw usageFailure(
      `"--${option}" belongs to the role ${role}, which --only excludes`,
      commandHint(invocation, invocation.verb.name, '--only', role),
    )
  }
}

/** Throws a usage failure when a role of that name is not among `names`, and for an option of a role that was not selected. */
export function validateRoles(names: readonly string[], invocation: Invocation): void {
  const only = textOptions(invocation, 'only')
  const unknown = only.find((name) => !names.includes(name))
  if (unknown !== undefined) {
    const suggestion = nearest(unknown, names)
    const hint = suggestion === undefined ? '' : `; did you mean "${suggestion}"?`
    throw usageFailure(
      `there is no role "${unknown}"${hint} (roles: ${names.join(', ')})`,
      `tappass ${invocation.verb.name} ${suggestion === undefined ? '--help' : `--only ${suggestion}`}`,
    )
  }
  rejectUnusedOption(invocation, only)
}

type RoleResources = Readonly<{ role: string; resources: readonly Resource[] }>

/** Returns the resources of these roles, in the order of the recipe; without any name those of all. */
export function resourcesOfRoles(roles: readonly RoleResources[], only: readonly string[]): readonly Resource[] {
  return roles.filter(({ role }) => only.length === 0 || only.includes(role)).flatMap(({ resources }) => resources)
}

/** Returns the resources of the selected roles, in the order of the recipe. Throws what `validateRoles` throws. */
export function selectResources(roles: readonly RoleResources[], invocation: Invocation): readonly Resource[] {
  validateRoles(
    roles.map(({ role }) => role),
    invocation,
  )
  return resourcesOfRoles(roles, textOptions(invocation, 'only'))
}
