/** `tappass history`: the runs that changed a host, from its own log, and whether the log's chain holds. */
import { type Invocation, isGiven } from '../command-line/invocation.ts'
import { verifyHistory } from '../history/entry.ts'
import { HISTORY_HEADER, historyRow } from '../history/generation-view.ts'
import { historyFact } from '../history/history-fact.ts'
import { readTargets } from '../inventory/target.ts'
import { renderTable } from '../output/text-table.ts'
import { connectors } from '../runners/connectors.ts'
import { readOnly } from '../runners/read-only.ts'
import { forEachHost, type HostResult, type HostSession } from '../session/host-session.ts'

/** Prints a table on stdout; with `--json` the event `history`. Returns 0 when the chain holds, otherwise 1. */
export async function run(invocation: Invocation): Promise<number> {
  const targets = await readTargets(invocation)
  const work = async ({ run: asRoot, freshFacts, target, emit }: HostSession): Promise<HostResult> => {
    const { generations, problems, head } = verifyHistory(await freshFacts(readOnly(asRoot))(historyFact))
    emit({ event: 'history', generations, problems, head })
    if (!isGiven(invocation, 'json')) {
      const title = targets.length > 1 ? [target.name] : []
      const table =
        generations.length === 0
          ? 'no run is in the log'
          : renderTable([HISTORY_HEADER, ...generations.map(historyRow)])
      const chain =
        problems.length > 0
          ? problems.map((problem) => `broken at ${problem}`)
          : head === ''
            ? []
            : [`the chain holds; its head is ${head}`]
      invocation.stdout.write(`${[...title, table, '', ...chain].join('\n').trimEnd()}\n`)
    }
    const outcome = problems.length === 0 ? 'up-to-date' : 'failed'
    return { outcome, applied: 0, remaining: 0 }
  }
  return await forEachHost(invocation, connectors, targets, { work })
}
