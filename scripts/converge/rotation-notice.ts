/** What is said around the rotation of a secret: where it can't begin, and what is left to do at its end. */
import { HOST_PATH } from '../../contract/path.ts'
import { nextCredentialId } from '../../contract/secret.ts'
import { hostCommandHint } from '../command-line/command-hint.ts'
import type { Invocation } from '../command-line/invocation.ts'
import { type FailureText, refusedFailure } from '../core/failure.ts'
import type { GetFact } from '../core/host.ts'
import { targetFact } from '../facts/path.ts'
import { storedAtFact } from '../secrets/secret-fact.ts'
import type { Rotation } from '../secrets/secret-rotation.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import { isDistributed } from '../spec/rotation-request.ts'

/** Throws a `Failure` (exit 5) unless the host runs this release: another one would be installed on the way, which nobody asked for here. */
export async function assertInstalled(
  invocation: Invocation,
  getFact: GetFact,
  { release }: Pick<HostSpec, 'release'>,
): Promise<void> {
  const current = await getFact(targetFact(HOST_PATH.currentRelease))
  if (current?.endsWith(`/${release.version}`) === true) return
  const next = `first ${hostCommandHint(invocation, 'bootstrap')}`
  throw current === undefined
    ? refusedFailure('TapPass is not installed on this host', `there is no ${HOST_PATH.currentRelease}`, next)
    : refusedFailure('this host runs another release', `there it is ${current}, here ${release.version}`, next)
}

/** Returns what there is left to do, or why nothing was done; undefined: the rotation is complete. */
export async function rotationNotice(
  invocation: Invocation,
  getFact: GetFact,
  { ids, storedBefore, mode }: Rotation,
  isChanged: boolean,
): Promise<FailureText | undefined> {
  const states = await Promise.all(
    ids.map(async (id) => {
      const [storedAt, nextStoredAt] = await Promise.all([
        getFact(storedAtFact(id)),
        getFact(storedAtFact(nextCredentialId(id))),
      ])
      return { id, storedAt, nextStoredAt }
    }),
  )
  const again = (found: typeof states, words: string) =>
    `${hostCommandHint(invocation, `secrets rotate ${found.map(({ id }) => id).join(',')}`)} ${words}`
  const overlapping = states.filter(({ id, nextStoredAt }) => nextStoredAt !== undefined && isDistributed(id))
  if (overlapping.length > 0) {
    const what = `both values are good: ${overlapping.map(({ id }) => id).join(', ')}`
    const why = 'whoever has the old one goes on meanwhile'
    return { what, why, next: `when nobody uses the old one: ${again(overlapping, '--finish')}` }
  }
  const young = states.filter(({ storedAt }) => storedAt !== undefined && storedAt >= storedBefore)
  if (isChanged || mode !== 'overlap' || young.length === 0) return undefined
  const what = `stored lately, so nothing is rotated: ${young.map(({ id }) => id).join(', ')}`
  return { what, next: `to rotate nevertheless: ${again(young, '--older-than 0s')}` }
}
