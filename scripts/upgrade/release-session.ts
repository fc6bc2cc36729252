/** What `upgrade` and `rollback` do on each host. */
import { type Invocation, textOption } from '../command-line/invocation.ts'
import type { Resource } from '../core/resource.ts'
import { markLines } from '../history/line-mark.ts'
import { createHandOver } from '../job/job-start.ts'
import type { HostResult, HostSession } from '../session/host-session.ts'
import { readRollout } from '../session/rollout.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import { checkStorage } from '../storage/storage-check.ts'
import { readReleaseChange } from './release-change.ts'
import { isOwnRelease, moveToInstalled } from './release-delegation.ts'
import { type MoveContext, moveToOwnRelease } from './release-move.ts'

/** What a command has read of its command line, and the recipe: the resources of each role, with the texts of a release. */
export type MoveSource = Pick<MoveContext, 'text' | 'readSpec' | 'specFrom'> &
  Readonly<{
    recipe: (spec: HostSpec, text: MoveContext['text']) => readonly Readonly<{ resources: readonly Resource[] }>[]
  }>

function contextOf(invocation: Invocation, { recipe, ...read }: MoveSource): MoveContext {
  const { text } = read
  return {
    ...{ ...read, waiting: text('scripts/first-boot.sh'), handOver: createHandOver(invocation) },
    resourcesOf: (spec) => recipe(spec, text).flatMap(({ resources }) => resources),
    markedOf: (spec) => recipe(spec, markLines(text)).flatMap(({ resources }) => resources),
    lookAtStorage: ({ connection }, spec) => checkStorage(connection.dial, spec, text('versions.yaml')),
  }
}

/** Throws a usage failure for what the command line says wrong, before any host is connected to. */
export function validateMove(invocation: Invocation): void {
  readRollout(withoutSoak(invocation))
  readReleaseChange(invocation, 0)
}

/** Returns what moves a host: to the release of this toolkit, or with `--to`, and on the way back, to one that is on the host. */
export function createMove(invocation: Invocation, source: MoveSource): (host: HostSession) => Promise<HostResult> {
  const context = contextOf(invocation, source)
  const typed = textOption(invocation, 'to')
  const isToInstalled = typed !== undefined || invocation.verb.name === 'rollback'
  return (host) => {
    const isOwn = typed !== undefined && host.target.address === undefined && isOwnRelease(invocation, typed)
    return isToInstalled && !isOwn
      ? moveToInstalled(invocation, host, typed)
      : moveToOwnRelease(invocation, host, context)
  }
}

/** Returns the command line for what all hosts have in common: without batches `--soak` is about the instances of each host alone. */
export function withoutSoak(invocation: Invocation): Invocation {
  const { soak: _, ...options } = invocation.options
  return { ...invocation, options }
}
