/** `tappass why PATH`: for each line of a file on a host the run that brought it, who ran it, and the line of which template it comes from. */
import { HOST_PATH } from '../../contract/path.ts'
import { hostCommandHint } from '../command-line/command-hint.ts'
import { type Invocation, isGiven } from '../command-line/invocation.ts'
import { Failure, usageFailure } from '../core/failure.ts'
import type { BlamedLine } from '../history/blame.ts'
import { type Generation, verifyHistory } from '../history/entry.ts'
import { blameFile, type FileBlame } from '../history/file-history.ts'
import { operatorOf } from '../history/generation-view.ts'
import { historyFact } from '../history/history-fact.ts'
import { readTargets } from '../inventory/target.ts'
import { renderTable } from '../output/text-table.ts'
import { connectors } from '../runners/connectors.ts'
import { readOnly } from '../runners/read-only.ts'
import { forEachHost, type HostResult, type HostSession } from '../session/host-session.ts'

function rowOf(
  { text, number, place }: BlamedLine,
  index: number,
  generations: readonly Generation[],
): readonly string[] {
  const generation = generations.find((each) => each.number === number)
  const who = generation === undefined ? 'no run' : operatorOf(generation)
  return [String(index + 1), number === undefined ? '-' : String(number), who, place ?? '-', text]
}

function tableOf({ resource, role, lines }: FileBlame, generations: readonly Generation[]): string {
  const header = ['line', 'run', 'by', 'from', 'text']
  const title = `${resource}${role === undefined ? '' : `, of the role ${role}`}`
  return `${title}\n${renderTable([header, ...lines.map((line, index) => rowOf(line, index, generations))])}\n`
}

/** Prints a table on stdout; with `--json` the event `lines`. Returns 0, and 1 for a file that no run has written. */
export async function run(invocation: Invocation): Promise<number> {
  const [path = ''] = invocation.operands
  if (!path.startsWith('/'))
    throw usageFailure(`"${path}" is no absolute path`, `tappass why ${HOST_PATH.gatewayEnvironment}`)
  const targets = await readTargets(invocation)
  const work = async ({ run: asRoot, freshFacts, target, emit }: HostSession): Promise<HostResult> => {
    const getFact = freshFacts(readOnly(asRoot))
    const { generations, problems } = verifyHistory(await getFact(historyFact))
    const found = await blameFile(getFact, generations, path)
    const next = hostCommandHint(invocation, 'history')
    if (found === undefined)
      throw new Failure({ what: `no run in the log has written ${path}, or it is gone`, where: target.name, next })
    emit({ event: 'lines', ...found })
    if (problems.length > 0)
      emit({
        event: 'warning',
        warning: { what: 'the chain of the log is broken', why: problems.join('\n         '), next },
      })
    if (!isGiven(invocation, 'json')) invocation.stdout.write(tableOf(found, generations))
    return { outcome: 'up-to-date', applied: 0, remaining: 0 }
  }
  return await forEachHost(invocation, connectors, targets, { work })
}
