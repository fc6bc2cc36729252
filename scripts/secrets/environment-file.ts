/** The environment file of containers (`.env.prod`): the secrets that it lacks are filled in, and the rest of it stays as it is. */
import { parseEnv } from 'node:util'
import { credentialId, secretNameOf, secretProblem } from '../../contract/secret.ts'
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
    let value = values[name] ?? ''
    if (value === '' && path !== '') {
      try {
        value = readFile(path).trimEnd()
      } catch (error) {
        found.problems.push(`${name}_FILE names a file that can't be read: ${(error as Error).message}`)
        continue
      }
      filled = withValue(filled, name, value)
      found.taken.push(name)
    } else if (value === '') {
      filled = withValue(filled, name, generateSecret(name, random))
      found.generated.push(name)
      continue
    } else found.kept.push(name)
    const problem = secretProblem(name, value)
    if (problem !== undefined) found.problems.push(`${name} ${problem}`)
  }
  return { text: filled, ...found, problems: [...found.problems, ...otherProblems(values)] }
}

/** Of secrets that are not made here: a license, the keys of providers. */
function otherProblems(values: Readonly<Record<string, string | undefined>>): readonly string[] {
  return Object.entries(values).flatMap(([key, value]) => {
    const name = secretNameOf(credentialIdOf(key))
    if (name === undefined || value === undefined || value === '' || isGenerated(name)) return []
    const problem = secretProblem(name, value)
    return problem === undefined ? [] : [`${name} ${problem}`]
  })
}

function credentialIdOf(key: string): string {
  return credentialId(key as Parameters<typeof credentialId>[0])
}

function isGenerated(name: string): boolean {
  return (GENERATED_NAMES as readonly string[]).includes(name)
}
