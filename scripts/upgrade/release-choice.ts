/** Which release on the host a command line means, and whether the host can be brought to it. */
import { hostCommandHint } from '../command-line/command-hint.ts'
import type { Invocation } from '../command-line/invocation.ts'
import { schemaStatusFact } from '../control/schema-status.ts'
import { refusedFailure } from '../core/failure.ts'
import type { GetFact } from '../core/host.ts'
import { verifyHistory } from '../history/entry.ts'
import { historyFact } from '../history/history-fact.ts'
import { acceptances, releaseBefore } from './acceptance.ts'
import { type InstalledReleases, installedReleasesFact, releaseFolder } from './installed-release.ts'
import { obstacleOf } from './release-list.ts'

/** A version that was typed may be the begin of one, if only one begins so. */
function typedVersion(invocation: Invocation, typed: string, { releases }: InstalledReleases): string {
  const found = releases.filter(({ version }) => version.startsWith(typed))
  const exact = found.find(({ version }) => version === typed)
  const [only, ...others] = exact === undefined ? found : [exact]
  if (only !== undefined && others.length === 0) return only.version
  const there = (found.length === 0 ? releases : found).map(({ version }) => version).join(', ')
  throw refusedFailure(
    found.length === 0 ? `release ${typed} is not on the host` : `"${typed}" is the begin of several releases`,
    there === '' ? 'there is none' : `there are ${there}`,
    hostCommandHint(invocation, 'releases'),
  )
}

/** Returns the version; `typed` undefined means the one before. Throws a `Failure` (exit 5) where there is none, or where it would not run. */
export async function chooseRelease(
  invocation: Invocation,
  getFact: GetFact,
  typed: string | undefined,
): Promise<string> {
  const [installed, history] = await Promise.all([getFact(installedReleasesFact), getFact(historyFact)])
  const { releases, current } = installed
  const next = hostCommandHint(invocation, 'releases')
  const before = releaseBefore(
    acceptances(verifyHistory(history).generations),
    current,
    releases.map(({ version }) => version),
  )
  if (typed === undefined && before === undefined)
    throw refusedFailure(
      'there is no release to go back to',
      'none that was accepted before is still on the host',
      next,
    )
  const version = typed === undefined ? (before as string) : typedVersion(invocation, typed, installed)
  const release = releases.find((each) => each.version === version)
  if (release === undefined || version === current) return version
  const status = release.hasUpgrade ? await getFact(schemaStatusFact(releaseFolder(version))) : undefined
  const obstacle = obstacleOf(release, current, status)
  if (obstacle === undefined) return version
  throw refusedFailure(`the host can't be brought to release ${version}`, obstacle, status?.problems[0]?.next ?? next)
}
