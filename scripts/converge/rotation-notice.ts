/** What is said around the rotation of a secret: where it can't begin, and what is left to do at its end. */
import { HOST_PATH } from '../../contract/path.ts'
import { nextCredentialId } from '../../contract/secret.ts'
import { hostCommandHint } from '../command-line/command-hint.ts'
import type { Invocation } from '../command-line/invocation.ts'
import { type FailureText, refusedFailure } from '../core/failure.ts'
import type { GetFact } from '../core/host.ts'
import { targetFact } from '../facts/path.ts'
import { storedAtFact } from '../secrets/secret-fact.ts'
import { type Rotation, SPIRE_CA_ID } from '../secrets/secret-rotation.ts'
import { spireAuthoritiesFact } from '../secrets/spire-authority.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import { isDistributed } from '../spec/rotation-request.ts'

/** Throws a `Failure` (exit 5) unless the host runs this release, for another one would be installed on the way, which nobody asked for here; and for an authority that it does not have. */
export async function assertInstalled(
  invocation: Invocation,
  getFact: GetFact,
  { release, rotation, identity }: Pick<HostSpec, 'release' | 'rotation' | 'identity'>,
): Promise<void> {
  if (identity === undefined && rotation?.ids.length === 1 && rotation.ids[0] === SPIRE_CA_ID)
    throw refusedFailure(
      'this host issues no identities',
      'the setting identity is absent',
      'docs/how-to/identities.md',
    )
  const current = await getFact(targetFact(HOST_PATH.currentRelease))
  if (current?.endsWith(`/${release.version}`) === true) return
  const next = `first ${hostCommandHint(invocation, 'bootstrap')}`
  throw current === undefined
    ? refusedFailure('TapPass is not installed on this host', `there is no ${HOST_PATH.currentRelease}`, next)
    : refusedFailure('this host runs another release', `there it is ${current}, here ${release.version}`, next)
}

/** Of the authority of SPIRE's server there is no credential: it says itself whether a next one is trusted beside it. */
async function nextOf(getFact: GetFact, id: string): Promise<readonly [number | undefined, number | undefined]> {
  if (id !== SPIRE_CA_ID)
    return await Promise.all([getFact(storedAtFact(id)), getFact(storedAtFact(nextCredentialId(id)))])
  const found = await getFact(spireAuthoritiesFact)
  return [found?.createdAt, found?.isX509Prepared === true ? found.createdAt : undefined]
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
      const [storedAt, nextStoredAt] = await nextOf(getFact, id)
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
