/** Hands a run over to its host: what it needs is sent, and the run goes on there as a transient unit. */
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { HOST_PATH } from '../../contract/path.ts'
import { inputsText } from '../artifacts/sent-file.ts'
import { hostCommandHint } from '../command-line/command-hint.ts'
import { type Invocation, textOptions } from '../command-line/invocation.ts'
import { RUN_UNIT } from '../converge/host-lock.ts'
import type { LockHolder } from '../converge/lock-lease.ts'
import type { HandedRun, HandOver } from '../converge/locked-run.ts'
import { Failure } from '../core/failure.ts'
import type { Command } from '../core/host.ts'
import type { Resource } from '../core/resource.ts'
import type { HostResult, HostSession } from '../session/host-session.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import { settingsText } from '../spec/settings-text.ts'
import { freeUnitCommand, prepareCommand, RUNNING_CODE, startCommand, type ToolkitPlace } from './job-command.ts'
import { type Job, jobText } from './job-file.ts'
import { type Sending, sendingOf } from './job-sending.ts'
import { watchJob } from './job-watch.ts'
import { hasToolkit, toolkitOf } from './toolkit-part.ts'

/** A run, an uninstall included, before it is known what of it is sent to where. */
export type UnsentJob = Omit<Job, 'files' | 'pagesFolder' | 'secrets' | 'bundle'>

/** Returns what is known of a run by who holds the lock for it, and by its specification. */
export function unsentJobOf(
  invocation: Invocation,
  { target }: HostSession,
  { owner: { owner, controller, verb, token }, retryCommand }: LockHolder,
  spec: HostSpec,
): UnsentJob {
  return {
    ...{ verb, target: target.name, user: owner, controller, token, retryCommand },
    ...{ release: spec.release.version, pages: spec.site === 'none' ? null : spec.site.pages.version },
    only: [...textOptions(invocation, 'only')],
    ...{ settings: settingsText(spec), inputs: inputsText(spec), rotation: null },
    ...{ releaseChange: spec.releaseChange ?? null, data: spec.data ?? null },
    ...{ outside: null, operator: null, restored: null, applied: [], contract: null, removal: null },
  }
}

function jobOf(invocation: Invocation, host: HostSession, handed: HandedRun): UnsentJob {
  const { holder, history, applied, outside = null, contract } = handed
  const { spec, operator = null, restored = null } = history
  return {
    ...unsentJobOf(invocation, host, holder, spec),
    rotation: spec.rotation === undefined ? null : { ...spec.rotation, ids: [...spec.rotation.ids] },
    ...{ outside, operator, restored, applied: [...applied] },
    contract: contract === undefined ? null : (structuredClone(contract.kept()) as Job['contract']),
  }
}

/** Makes the name of the unit free for this run. Throws a `Failure` (exit 4) where another one goes on under it, although nothing else says so any more. */
export async function freeUnit(invocation: Invocation, { run }: Pick<HostSession, 'run'>): Promise<void> {
  const { code, stderr } = await run(freeUnitCommand())
  if (code === 0) return
  const isRunning = code === RUNNING_CODE
  throw new Failure(
    {
      what: isRunning ? 'a run goes on on this host' : 'the run cannot go on as a unit of the host',
      why: stderr.trim(),
      next: isRunning ? hostCommandHint(invocation, 'attach') : 'end what is in it, and run the same command again',
    },
    isRunning ? EXIT_CODE.locked : EXIT_CODE.failed,
  )
}

/** Sends what the run needs, starts the unit, and shows it to its end. Throws a `Failure` when it can't be started. */
export async function startJob(
  invocation: Invocation,
  host: HostSession,
  base: UnsentJob,
  { commands, part }: Sending,
  place: ToolkitPlace,
): Promise<HostResult> {
  const attachCommand = hostCommandHint(invocation, 'attach')
  await freeUnit(invocation, host)
  const prepare: Command = await prepareCommand(jobText({ ...base, ...part }), commands)
  for (const command of [prepare, ...commands, startCommand(place)]) {
    const { code, stderr } = await host.run(command)
    if (code === 0) continue
    throw new Failure({
      what: 'the run cannot go on as a unit of the host',
      why: stderr.trim(),
      next: base.retryCommand,
    })
  }
  host.emit({ event: 'handed-over', unit: RUN_UNIT, next: attachCommand })
  return await watchJob(invocation, host, { attachCommand, isOwn: true })
}

/** Returns what hands a run over, with the lock of the host held. `recipeOf` returns all resources of a host, for a run that may have a part of them. */
export function createHandOver(invocation: Invocation, recipeOf?: (spec: HostSpec) => readonly Resource[]): HandOver {
  return {
    toolkit: async (host, resources, spec) => {
      const own = toolkitOf(resources)
      if (own !== undefined || recipeOf === undefined) return own
      return (await hasToolkit(host.freshFacts(), recipeOf(spec))) ? [] : undefined
    },
    start: async (host, handed) => {
      const base = jobOf(invocation, host, handed)
      const place = { node: HOST_PATH.nodeProgram, release: `${HOST_PATH.releasesFolder}/${base.release}` }
      return await startJob(invocation, host, base, sendingOf(handed, host.target.address === undefined), place)
    },
  }
}
