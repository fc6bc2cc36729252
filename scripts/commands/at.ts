/** `tappass at N`: what a run was given and did, and what was on the host at its end; or the content of one file then; or the way back to it. */
import { hostCommandHint } from '../command-line/command-hint.ts'
import { type Invocation, isGiven, textOption } from '../command-line/invocation.ts'
import { restoreRun } from '../converge/restoration.ts'
import { Failure, usageFailure } from '../core/failure.ts'
import type { GetFact } from '../core/host.ts'
import { type Generation, verifyHistory } from '../history/entry.ts'
import { type GenerationRecord, generationLines, readGeneration } from '../history/generation-view.ts'
import { historyFact, storedText } from '../history/history-fact.ts'
import { markLines } from '../history/line-mark.ts'
import { readTargets } from '../inventory/target.ts'
import { createHandOver } from '../job/job-start.ts'
import { recipe } from '../recipe.ts'
import { connectors } from '../runners/connectors.ts'
import { readOnly } from '../runners/read-only.ts'
import { forEachHost, type HostResult, type HostSession } from '../session/host-session.ts'
import { openSpecSession } from '../session/spec-session.ts'
import { restoreByInstalled } from '../upgrade/release-delegation.ts'

async function contentThen(getFact: GetFact, { state }: GenerationRecord, path: string): Promise<string | undefined> {
  const file = state?.files.find((each) => each.path === path)
  return file === undefined ? undefined : await storedText(getFact, file.sha256)
}

function findGeneration(generations: readonly Generation[], number: number, next: string): Generation {
  const found = generations.find((each) => each.number === number)
  if (found !== undefined) return found
  const last = generations.at(-1)
  const why =
    last === undefined
      ? 'no run is in the log of this host'
      : `its log has the runs ${generations[0]?.number} to ${last.number}`
  throw new Failure({ what: `there is no run ${number}`, why, next })
}

async function show(invocation: Invocation, number: number): Promise<number> {
  const targets = await readTargets(invocation)
  const next = hostCommandHint(invocation, 'history')
  const path = textOption(invocation, 'file')
  const work = async ({ run: asRoot, freshFacts, emit }: HostSession): Promise<HostResult> => {
    const getFact = freshFacts(readOnly(asRoot))
    const { generations, problems } = verifyHistory(await getFact(historyFact))
    const generation = findGeneration(generations, number, next)
    const record = await readGeneration(getFact, generation)
    const { end: done, ...kept } = record
    emit({ event: 'generation', ...generation, ...kept, done })
    if (path !== undefined) {
      const content = await contentThen(getFact, record, path)
      if (content === undefined)
        throw new Failure({
          what: `${path} was no file of ours after run ${number}`,
          next: hostCommandHint(invocation, `at ${number}`),
        })
      if (!isGiven(invocation, 'json')) invocation.stdout.write(content)
    } else if (!isGiven(invocation, 'json'))
      invocation.stdout.write(`${generationLines(generation, record).join('\n')}\n`)
    if (problems.length === 0) return { outcome: 'up-to-date', applied: 0, remaining: 0 }
    emit({
      event: 'warning',
      warning: { what: 'the chain of the log is broken', why: problems.join('\n         '), next },
    })
    return { outcome: 'failed', applied: 0, remaining: 0 }
  }
  return await forEachHost(invocation, connectors, targets, { work })
}

async function restore(invocation: Invocation, number: number): Promise<number> {
  for (const option of ['file', 'config'])
    if (isGiven(invocation, option))
      throw usageFailure(`"--${option}" says nothing beside "--restore"`, `tappass at ${number} --restore`)
  const { targets, text, specFrom } = await openSpecSession(invocation)
  const next = hostCommandHint(invocation, 'history')
  const work = async (host: HostSession): Promise<HostResult> => {
    const history = verifyHistory(await host.freshFacts(readOnly(host.run))(historyFact))
    const generation = findGeneration(history.generations, number, next)
    return await restoreRun(invocation, host, generation, {
      ...{ problems: history.problems, confirm: host.confirm, specFrom, waiting: text('scripts/first-boot.sh') },
      ...{ handOver: createHandOver(invocation), isPlanOnly: isGiven(invocation, 'plan-only') },
      byRelease: (release) => restoreByInstalled(invocation, host, { release, number }),
      resourcesOf: (spec) => recipe(spec, text).flatMap(({ resources }) => resources),
      markedOf: (spec) => recipe(spec, markLines(text)).flatMap(({ resources }) => resources),
    })
  }
  return await forEachHost(invocation, connectors, targets, { work, isConfirmedTogether: true })
}

/**
 * Prints on stdout; with `--json` the event `generation`. Returns 0, and 1 for a run or file that is not in the log, or a log whose chain is broken. With `--restore` what
 * `bootstrap` returns, 2 for a plan that was only asked for, and 5 for a run that can't be restored whole.
 */
export async function run(invocation: Invocation): Promise<number> {
  const [typed = ''] = invocation.operands
  if (isGiven(invocation, 'plan-only') && !isGiven(invocation, 'restore'))
    throw usageFailure('"--plan-only" is about "--restore"', `tappass at ${typed} --restore --plan-only`)
  if (!/^[1-9]\d{0,5}$/.test(typed)) throw usageFailure(`"${typed}" is no number of a run`, 'tappass history')
  return await (isGiven(invocation, 'restore') ? restore : show)(invocation, Number(typed))
}
