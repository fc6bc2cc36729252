/** Brings a host to the settings of an earlier run: planned, confirmed and applied as any other change, or refused whole before anything is touched. */
import { HOST_PATH } from '../../contract/path.ts'
import { hostCommandHint } from '../command-line/command-hint.ts'
import type { Confirm } from '../command-line/confirmation.ts'
import type { Invocation } from '../command-line/invocation.ts'
import type { FailureText } from '../core/failure.ts'
import type { Resource } from '../core/resource.ts'
import { pathFact } from '../facts/path.ts'
import { type Generation, outcomeOf } from '../history/entry.ts'
import type { HostResult, HostSession } from '../session/host-session.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import { runHost } from './host-run.ts'
import { isReached, type KeptRun, missingInputs, readKeptRun, specOfRun, toolDifference } from './kept-run.ts'
import type { HandOver } from './locked-run.ts'

/** `problems` are those of the log; `specFrom` reads the settings of a host, `resourcesOf` and `markedOf` are the recipe, plain and with the places of lines. */
export type RestorationContext = Readonly<{
  problems: readonly string[]
  confirm: Confirm
  waiting: string
  specFrom: (settings: string) => Promise<HostSpec>
  resourcesOf: (spec: HostSpec) => readonly Resource[]
  markedOf: (spec: HostSpec) => readonly Resource[]
  handOver?: HandOver
  /** Only the plan is asked for. */
  isPlanOnly?: boolean
  /** Lets the toolkit of another release that is on the host do it. */
  byRelease?: (release: string) => Promise<HostResult>
}>

function refuse({ emit }: HostSession, ...reasons: readonly FailureText[]): HostResult {
  emit({ event: 'refused', reasons })
  return { outcome: 'refused', applied: 0, remaining: 0 }
}

/** Another release writes other files from the same settings. Where the run's own is still on the host, it does that itself. */
async function byOwnTool(
  host: HostSession,
  { generation: { begun, number } }: KeptRun,
  why: string,
  { byRelease, own }: Readonly<{ byRelease: RestorationContext['byRelease']; own: string }>,
): Promise<HostResult> {
  const folder = `${HOST_PATH.releasesFolder}/${begun.release}`
  const { kind } = await host.freshFacts()(pathFact(`${folder}/tappass`))
  if (kind === 'file' && begun.release !== own && byRelease !== undefined) return await byRelease(begun.release)
  const next =
    kind === 'file'
      ? `sudo ${folder}/tappass at ${number} --restore   (on the host, which still has that release)`
      : `from a clone of release ${begun.release}, which is not on the host any more: tappass bootstrap --config FILE, with the settings of that run (tappass at ${number} --file ${HOST_PATH.settings} >FILE)`
  return refuse(host, { what: `run ${number} cannot be restored as it was`, why, next })
}

function notWhole(generation: Generation, next: string): FailureText {
  const outcome = outcomeOf(generation)
  const why = isReached(generation)
    ? 'it had a part of the roles only, or its release kept less of a run than this one'
    : `its settings were not reached as a whole (${outcome})`
  return { what: `run ${generation.number} cannot be restored`, why, next: `choose another one: ${next}` }
}

/** What no run of the toolkit keeps. */
function tellWhatStays({ emit }: HostSession, { generation: { number }, record }: KeptRun, next: string): void {
  const provided = record.begin?.secrets ?? []
  const secrets = provided.length === 0 ? '' : ` (run ${number} was given ${provided.join(', ')})`
  emit({
    event: 'warning',
    warning: {
      what: `the settings, files, units, programs and images of run ${number} are restored, nothing else`,
      why: `what is in the database stays as it is, and so do the secrets${secrets}`,
      next,
    },
  })
}

/** Returns how that ended. The plan is shown first; what can't be restored whole is refused (exit 5). */
export async function restoreRun(
  invocation: Invocation,
  host: HostSession,
  generation: Generation,
  context: RestorationContext,
): Promise<HostResult> {
  const { problems, confirm, waiting, specFrom, resourcesOf, markedOf, handOver, byRelease, isPlanOnly } = context
  const next = hostCommandHint(invocation, 'history')
  if (problems.length > 0)
    return refuse(host, { what: 'the chain of the log is broken', why: problems.join('\n         '), next })
  const getFact = host.freshFacts()
  const base = await readKeptRun(getFact, generation)
  if (base === undefined) return refuse(host, notWhole(generation, next))
  const spec = await specOfRun(base, specFrom)
  const difference = toolDifference(base, spec)
  if (difference !== undefined) return await byOwnTool(host, base, difference, { byRelease, own: spec.release.version })
  tellWhatStays(host, base, hostCommandHint(invocation, `at ${generation.number}`))
  const result = await runHost(invocation, host, resourcesOf(spec), spec, {
    ...{ confirm: isPlanOnly === true ? async () => false : confirm, waiting, refusals: missingInputs },
    history: { spec, marked: () => markedOf(spec), restored: generation.number },
    ...(handOver && { handOver }),
  })
  return isPlanOnly === true && result.outcome === 'declined' ? { ...result, outcome: 'pending' } : result
}
