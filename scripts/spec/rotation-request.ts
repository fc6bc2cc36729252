/** What a command line says about rotating secrets. Pure. */
import { parseDuration } from '../command-line/duration.ts'
import { type Invocation, isGiven, textOption, textOptions } from '../command-line/invocation.ts'
import { nearest } from '../command-line/suggestion.ts'
import { usageFailure } from '../core/failure.ts'
import { ROTATION_KINDS, type Rotation, type RotationKind, type RotationMode } from '../secrets/secret-rotation.ts'

/** The secrets to rotate, how old a value has to be, and how far the rotation goes. */
export type RotationRequest = Readonly<{ ids: readonly string[]; ageSecondsMin: number; mode: RotationMode }>

/** A value younger than that is not rotated again unless a shorter time is said: a run that is repeated does nothing. */
const AGE_SECONDS_DEFAULT = 3600

const KINDS: Readonly<Record<string, RotationKind>> = ROTATION_KINDS

/** Stands for each secret that a host generates, and for each that is provided with the command. */
const ALL = 'all'

/** Returns the seconds of an age as it is typed after `--older-than`. Throws a usage failure for what is none. */
export function readAge(text: string, command: string): number {
  const seconds = parseDuration(text)
  if (seconds !== undefined) return seconds
  throw usageFailure(`"--older-than" is a number and s, m, h or d, not "${text}"`, `${command} --older-than 90d`)
}

function isProvidedIn(invocation: Invocation, id: string): boolean {
  return textOptions(invocation, 'secret').some((option) => option.startsWith(`${id}=`))
}

function isOfAll(invocation: Invocation, id: string): boolean {
  return KINDS[id] !== 'provided' || isProvidedIn(invocation, id)
}

/** The ids that are typed, each once; `all` is what is rotatable. */
function readIds(invocation: Invocation, words: readonly string[]): readonly string[] {
  const typed = words.flatMap((word) => word.split(','))
  const all = () => Object.keys(KINDS).filter((id) => isOfAll(invocation, id))
  return [...new Set(typed.flatMap((id) => (id === ALL ? all() : [id])))]
}

/** What was exposed is replaced at once, whatever its age. */
function readMode(invocation: Invocation, command: string): RotationMode {
  const isFinishing = isGiven(invocation, 'finish')
  if (!isGiven(invocation, 'compromised')) return isFinishing ? 'finish' : 'overlap'
  const other = isFinishing ? 'finish' : 'older-than'
  if (!isFinishing && textOption(invocation, other) === undefined) return 'compromised'
  const what = `"--compromised" and "--${other}" exclude each other: what somebody else may have is replaced at once, whatever its age`
  throw usageFailure(what, `${command} --compromised`)
}

function assertRotatable(invocation: Invocation, id: string): void {
  const kind = KINDS[id]
  const names = Object.keys(KINDS)
  if (kind === undefined) {
    throw usageFailure(
      `there is no secret "${id}"; secrets are ${names.join(', ')}`,
      `tappass secrets rotate ${nearest(id, names) ?? names[0]}`,
    )
  }
  if (kind === 'provided' && !isProvidedIn(invocation, id)) {
    throw usageFailure(
      `${id} is not generated here: the new value has to be provided`,
      `tappass secrets rotate ${id} --secret ${id}=FILE`,
    )
  }
}

/**
 * Returns what is asked for by `secrets rotate ID` and `plan --rotate ID`; undefined: nothing. Throws a usage failure for what is not understood.
 */
export function readRotationRequest(invocation: Invocation): RotationRequest | undefined {
  const { verb, operands } = invocation
  const words = verb.name === 'secrets' ? operands : textOptions(invocation, 'rotate')
  const ids = readIds(invocation, words)
  const command = verb.name === 'secrets' ? `tappass secrets rotate ${words.join(' ')}` : 'tappass plan --rotate ID'
  const age = textOption(invocation, 'older-than')
  if (ids.length === 0) {
    // Beside an upgrade `--finish` is about migrations.
    const alone = (verb.name === 'upgrade' ? [] : ['finish', 'compromised', 'older-than']).find((name) =>
      isGiven(invocation, name),
    )
    if (alone === undefined) return undefined
    throw usageFailure(`"--${alone}" needs "--rotate"`, command)
  }
  for (const id of ids) assertRotatable(invocation, id)
  const mode = readMode(invocation, command)
  const ageSecondsDefault = mode === 'compromised' ? 0 : AGE_SECONDS_DEFAULT
  return { ids, ageSecondsMin: age === undefined ? ageSecondsDefault : readAge(age, command), mode }
}

/** Whether two values of the secret are good after its rotation has begun, until it is finished. */
export function isDistributed(id: string): boolean {
  return KINDS[id] === 'distributed'
}

/** Returns the rotation for a host, whose clock shows so many seconds. */
export function rotationOf({ ids, ageSecondsMin, mode }: RotationRequest, clockSeconds: number): Rotation {
  return { ids, storedBefore: clockSeconds - ageSecondsMin, mode }
}
