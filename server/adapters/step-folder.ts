/**
 * Loads the steps from their folders: every file in server/steps is run. There is no list of them, and none is skipped
 * silently.
 */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createFamilyRegistry, type FamilyRegistry, type FindingFamily, parseFamily } from '../core/finding-family.ts'
import type { Step } from '../core/step.ts'
import type { Engine } from '../detection/engine.ts'

/** What is in the folders: steps in the order of their positions, and the built-in families with those that they bring. */
export type LoadedSteps = Readonly<{ steps: readonly Step[]; registry: FamilyRegistry }>

/** What a file of a step exports. */
type StepFile = Readonly<{ step?: Step; createStep?: (engine: Engine) => Step; family?: unknown }>

/**
 * Loads every step of some folders. A file exports `step`, or `createStep` that takes the engine, and `family` when its
 * findings are of one of their own. Throws when a file exports no step, when two share a name or a position, when a step of the stage
 * 'response' has no `matchCharsMax`, or when a family is not valid or there twice.
 */
export async function loadSteps(
  folders: readonly string[],
  engine: Engine,
  builtIn: readonly FindingFamily[],
): Promise<LoadedSteps> {
  const steps: Step[] = []
  const families: FindingFamily[] = builtIn.map(parseFamily)
  for (const folder of folders) {
    const names = (await readdir(folder)).filter((name) => name.endsWith('.ts')).sort()
    for (const name of names) {
      const file = (await import(pathToFileURL(join(folder, name)).href)) as StepFile
      const step = file.createStep?.(engine) ?? file.step
      if (!step) throw new Error(`${name} exports no step`)
      assertFits(step, name, steps)
      steps.push(step)
      if (file.family !== undefined) families.push(parseFamily(file.family))
    }
  }
  return { steps: steps.sort((one, other) => one.position - other.position), registry: createFamilyRegistry(families) }
}

/** Throws when a step can't run beside those that are there. */
function assertFits(step: Step, name: string, others: readonly Step[]): void {
  if (name !== `${step.name.replaceAll('_', '-')}.ts`)
    throw new Error(`${name} holds a step of another name, ${step.name}`)
  if (step.stages.includes('response') && step.matchCharsMax === undefined)
    throw new Error(`${name} has the stage 'response' and no matchCharsMax`)
  for (const other of others) {
    if (other.position === step.position) throw new Error(`${name} has the position of another step, ${step.position}`)
    if (other.name === step.name) throw new Error(`${name} has the name of another step`)
  }
}
