/** What a command line says about rotating secrets. Pure. */
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { parseDuration } from '../command-line/duration.ts'
import { type Invocation, isGiven, textOption, textOptions } from '../command-line/invocation.ts'
import { nearest } from '../command-line/suggestion.ts'
import { Failure, usageFailure } from '../core/failure.ts'
import { ROTATION_KINDS, type Rotation, type RotationKind } from '../secrets/secret-rotation.ts'

/** The secrets to rotate, how old a value has to be, and whether the overlap of distributed ones ends. */
export type RotationRequest = Readonly<{ ids: readonly string[]; ageSecondsMin: number; isFinishing: boolean }>

/** A value younger than that is not rotated again unless a shorter time is said: a run that is repeated does nothing. */
const AGE_SECONDS_DEFAULT = 3600

const KINDS: Readonly<Record<string, RotationKind>> = ROTATION_KINDS

function readAge(text: string, command: string): number {
  const seconds = parseDuration(text)
  if (seconds !== undefined) return seconds
  throw usageFailure(`"--older-than" is a number and s, m, h or d, not "${text}"`, `${command} --older-than 90d`)
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
  if (kind === 'fixed') {
    const what = `the secret ${id} is not rotated`
    const why =
      'entries of the ledger that are older than their own salts are proven with it: with another value they would be unprovable for ever'
    throw new Failure(
      { what, why, next: 'leave it as it is; docs/how-to/rotate-secrets.md says more' },
      EXIT_CODE.refused,
    )
  }
  const isProvided = textOptions(invocation, 'secret').some((option) => option.startsWith(`${id}=`))
  if (kind === 'provided' && !isProvided) {
    throw usageFailure(
      `${id} is not generated here: the new value has to be provided`,
      `tappass secrets rotate ${id} --secret ${id}=FILE`,
    )
  }
}

/**
 * Returns what is asked for by `secrets rotate ID` and `plan --rotate ID`; undefined: nothing. Throws a usage failure for what is not understood, and a
 * `Failure` (exit 5) for a secret that must stay.
 */
export function readRotationRequest(invocation: Invocation): RotationRequest | undefined {
  const { verb, operands } = invocation
  const words = verb.name === 'secrets' ? operands : textOptions(invocation, 'rotate')
  const ids = [...new Set(words.flatMap((word) => word.split(',')))]
  const command = verb.name === 'secrets' ? `tappass secrets rotate ${words.join(' ')}` : 'tappass plan --rotate ID'
  const age = textOption(invocation, 'older-than')
  // Beside an upgrade it is about migrations.
  const isFinishing = verb.name !== 'upgrade' && isGiven(invocation, 'finish')
  if (ids.length === 0) {
    if (age === undefined && !isFinishing) return undefined
    throw usageFailure(`"--${isFinishing ? 'finish' : 'older-than'}" needs "--rotate"`, command)
  }
  for (const id of ids) assertRotatable(invocation, id)
  return { ids, ageSecondsMin: age === undefined ? AGE_SECONDS_DEFAULT : readAge(age, command), isFinishing }
}

/** Whether two values of the secret are good after its rotation has begun, until it is finished. */
export function isDistributed(id: string): boolean {
  return KINDS[id] === 'distributed'
}

/** Returns the rotation for a host, whose clock shows so many seconds. */
export function rotationOf({ ids, ageSecondsMin, isFinishing }: RotationRequest, clockSeconds: number): Rotation {
  return { ids, storedBefore: clockSeconds - ageSecondsMin, isFinishing }
}
