/** The steps are a folder: whatever lies in server/steps is run. Nothing lists them, and nothing is left out in silence. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Step } from '../core/step.ts'

/**
 * Loads every step of a folder, in the order of their positions. Throws when a file holds none, when two share a name or
 * a position, or when a step that looks at answers does not say how far a match of it reaches.
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
      throw new Error(`${name} looks at answers and has no matchCharsMax`)
    }
    if (steps.some(({ position }) => position === step.position)) {
      throw new Error(`${name} has the position of another step, ${step.position}`)
    }
    steps.push(step)
  }
  return steps.sort((one, other) => one.position - other.position)
}
