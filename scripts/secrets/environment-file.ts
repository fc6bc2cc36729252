/** The environment file of containers (`.env.prod`): the secrets that it lacks are filled in, and the rest of it stays as it is. */
import { parseEnv } from 'node:util'
import { SECRET_NAMES, secretProblem } from '../../contract/secret.ts'
import { GENERATED_NAMES, generateSecret, type Randomness } from './secret-generation.ts'

/**
 * The text with its new values, and by name: what was `generated`, what was `taken` from the file that NAME_FILE names, and what was there
 * already (`kept`). `problems` are sentences about values that are no secret of their name; then nothing is to be written.
 */
export type FilledText = Readonly<{
  text: string
  generated: readonly string[]
  taken: readonly string[]
  kept: readonly string[]
  problems: readonly string[]
}>

/** As Compose and Node read it back: several lines stand in double quotes. */
function assignment(name: string, value: string): string {
  return value.includes('\n') ? `${name}="${value.trimEnd()}"` : `${name}=${value}`
}

/** In place of the last line that gives it no value, or at the end. */
function withValue(text: string, name: string, value: string): string {
  const lines = text.split('\n')
  const at = lines.findLastIndex((line) => new RegExp(`^\\s*(?:export\\s+)?${name}\\s*=`).test(line))
  if (at >= 0) return lines.with(at, assignment(name, value)).join('\n')
  return `${text === '' || text.endsWith('\n') ? text : `${text}\n`}${assignment(name, value)}\n`
}

/** Fills in what has no value. `readFile` gives the content of a file that the text names; it throws where it can't. */
export function fillEnvironment(text: string, random: Randomness, readFile: (path: string) => string): FilledText {
  const values = parseEnv(text)
  const found = { generated: [] as string[], taken: [] as string[], kept: [] as string[], problems: [] as string[] }
  let filled = text
  for (const name of GENERATED_NAMES) {
    const path = values[`${name}_FILE`] ?? ''
    if ((values[name] ?? '') !== '') found.kept.push(name)
    else if (path === '') {
      filled = withValue(filled, name, generateSecret(name, random))
      found.generated.push(name)
    } else
      try {
        filled = withValue(filled, name, readFile(path).trimEnd())
        found.taken.push(name)
      } catch (error) {
        found.problems.push(`${name}_FILE names a file that can't be read: ${(error as Error).message}`)
      }
  }
  return { text: filled, ...found, problems: [...found.problems, ...secretProblems(parseEnv(filled))] }
}

/** Of all secrets that have a value, as whoever reads the file gets it. */
function secretProblems(values: Readonly<Record<string, string | undefined>>): readonly string[] {
  return SECRET_NAMES.flatMap((name) => {
    const problem = values[name] ? secretProblem(name, values[name]) : undefined
    return problem === undefined ? [] : [`${name} ${problem}`]
  })
}
