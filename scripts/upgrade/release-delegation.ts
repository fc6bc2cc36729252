/** A move to a release that is on the host: shown as its own toolkit plans it, asked for here, and done by its own toolkit. */
import { hostname, userInfo } from 'node:os'
import { type Invocation, isGiven, textOption } from '../command-line/invocation.ts'
import type { HostResult, HostSession } from '../session/host-session.ts'
import { releaseFolder } from './installed-release.ts'
import { runOwnToolkit } from './own-toolkit.ts'
import { chooseRelease } from './release-choice.ts'

/** Whether the toolkit that runs is the one of that release, on its host. */
export function isOwnRelease({ root }: Invocation, version: string): boolean {
  return root === releaseFolder(version)
}

/** Returns how it ended; `typed` is the version, undefined for the one before. Throws a `Failure` (exit 5) for a release that is not there or would not run. */
export async function moveToInstalled(
  invocation: Invocation,
  host: HostSession,
  typed: string | undefined,
): Promise<HostResult> {
  const version = await chooseRelease(invocation, host.freshFacts(), typed)
  const soak = textOption(invocation, 'soak')
  const words = [
    ...[invocation.verb.name, '--to', version],
    ...(soak === undefined ? [] : ['--soak', soak]),
    ...(isGiven(invocation, 'finish') ? ['--finish'] : []),
  ]
  const toolkit = { version, words, operator: `${userInfo().username}@${hostname()}` }
  let changes = 0
  const planned = await runOwnToolkit(invocation, host, { ...toolkit, isPlan: true }, (event) => {
    if (event.event === 'plan') changes = event.changes.length
    return true
  })
  if (planned.outcome !== 'pending' || isGiven(invocation, 'plan-only')) return planned
  if (!(await host.confirm(host.target.name, changes))) return { ...planned, outcome: 'declined' }
  // What was shown and asked for is not shown again.
  return await runOwnToolkit(invocation, host, { ...toolkit, isPlan: false }, ({ event }) => !SHOWN.includes(event))
}

const SHOWN: readonly string[] = ['plan', 'release-move', 'settings']
