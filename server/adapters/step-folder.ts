/**
 * Loads the steps from their folder: every file in server/steps is run. There is no list of them, and none is skipped
 * silently.
 */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Step } from '../core/step.ts'

/**
 * Loads every step of a folder, in the order of their positions. Throws when a file exports none, when two share a
 * name or a position, or when a step of the stage 'response' has no `matchCharsMax`.
 */
export async function loadSteps(folder: string): Promise<readonly Step[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.ts')).sort()
  const steps: Step[] = []
  for (const name of names) {
    const { step } = (await import(pathToFileURL(join(folder, name)).href)) as { step?: Step }
    if (!step) throw new Error(`${name} exports no step`)
    if (name !== `${step.name.replaceAll('_', '-')}.ts`)
      throw new Error(`${name} holds a step of another name, ${step.name}`)
    if (step.stages.includes('response') && step.matchCharsMax === undefined) {
      throw new Error(`${name} has the stage 'response' and no matchCharsMax`)
    }
    if (steps.some(({ position }) => position === step.position)) {
      throw new Error(`${name} has the position of another step, ${step.position}`)
    }
    steps.push(step)
  }
  return steps.sort((one, other) => one.position - other.position)
}
