/** The part of a recipe that brings the toolkit to a host, with the Node that it runs by: with it the host can go on with a run by itself. */
import { HOST_PATH } from '../../contract/path.ts'
import { planAll } from '../converge/plan.ts'
import type { GetFact } from '../core/host.ts'
import type { Resource } from '../core/resource.ts'

const ROLE = 'foundation'

/** Node and the release, with their folders. */
const PROGRAMS = [
  `directory:${HOST_PATH.nodeFolder}`,
  `directory:${HOST_PATH.releasesFolder}`,
  `archive:${HOST_PATH.nodeFolder}/`,
  `release:${HOST_PATH.programFolder}`,
] as const

function isProgram({ id }: Resource): boolean {
  return PROGRAMS.some((each) => (each.endsWith('/') ? id.startsWith(each) : id === each))
}

/** Returns it in the order of the recipe; undefined for a recipe that lacks a part of it (`--only`). Pure. */
export function toolkitOf(resources: readonly Resource[]): readonly Resource[] | undefined {
  const part = resources.filter((resource) => resource.role === ROLE || isProgram(resource))
  const isWhole = part.some(({ role }) => role === ROLE) && part.filter(isProgram).length === PROGRAMS.length
  return isWhole ? part : undefined
}

/** Whether a host has the programs as a whole recipe wants them: then a run that does not bring them can go on there, too. */
export async function hasToolkit(getFact: GetFact, recipe: readonly Resource[]): Promise<boolean> {
  const { planned, refusals } = await planAll(recipe.filter(isProgram), getFact)
  return planned.length === 0 && refusals.length === 0
}
