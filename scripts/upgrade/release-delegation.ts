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

type Toolkit = Readonly<{ version: string; words: readonly string[]; operator: string }>

/** Shows its plan, asks, and lets it do that. What was shown and asked for is not shown again. */
async function planAskAndDo(invocation: Invocation, host: HostSession, toolkit: Toolkit): Promise<HostResult> {
  let changes = 0
  const warnings = new Set<string>()
  const planned = await runOwnToolkit(invocation, host, { ...toolkit, isPlan: true }, (event) => {
    if (event.event === 'plan') changes = event.changes.length
    if (event.event === 'warning') warnings.add(JSON.stringify(event))
    return true
  })
  if (planned.outcome !== 'pending' || isGiven(invocation, 'plan-only')) return planned
  if (!(await host.confirm(host.target.name, changes))) return { ...planned, outcome: 'declined' }
  return await runOwnToolkit(
    invocation,
    host,
    { ...toolkit, isPlan: false },
    (event) => !SHOWN.includes(event.event) && !warnings.has(JSON.stringify(event)),
  )
}

const SHOWN: readonly string[] = ['plan', 'release-move', 'settings']

function operatorHere(): string {
  return `${userInfo().username}@${hostname()}`
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
  return await planAskAndDo(invocation, host, { version, words, operator: operatorHere() })
}

/** Restores a run of a release that is on the host, by its own toolkit. Throws a `Failure` (exit 5) for a release that would not run, or that can't do it from elsewhere yet. */
export async function restoreByInstalled(
  invocation: Invocation,
  host: HostSession,
  { release, number }: Readonly<{ release: string; number: number }>,
): Promise<HostResult> {
  const version = await chooseRelease(invocation, host.freshFacts(), release)
  return await planAskAndDo(invocation, host, {
    ...{ version, words: ['at', String(number), '--restore'], operator: operatorHere() },
  })
}
