/** `tappass attach`: shows the run that goes on, or went on last, as a unit of each host; from its begin to its end. */
import { hostCommandHint } from '../command-line/command-hint.ts'
import type { Invocation } from '../command-line/invocation.ts'
import { showUnshownSecrets } from '../converge/host-run.ts'
import { Failure } from '../core/failure.ts'
import type { Fact } from '../core/host.ts'
import { readTargets } from '../inventory/target.ts'
import { JOB_PATH } from '../job/job-file.ts'
import { watchJob } from '../job/job-watch.ts'
import { connectors } from '../runners/connectors.ts'
import { forEachHost, type HostResult, type HostSession } from '../session/host-session.ts'

const hasRunFact: Fact<boolean> = {
  query: { argv: ['test', '-s', JOB_PATH.job], effect: 'read' },
  parse: ({ code }) => code === 0,
}

/** Returns what the run returns, 1 where there was none, 6 unreachable, 130 interrupted: then the run itself goes on. */
export async function run(invocation: Invocation): Promise<number> {
  const targets = await readTargets(invocation)
  const attachCommand = hostCommandHint(invocation, 'attach')
  const work = async (host: HostSession): Promise<HostResult> => {
    if (!(await host.freshFacts()(hasRunFact)))
      throw new Failure({
        what: 'no run has gone on by itself on this host since it was started',
        next: hostCommandHint(invocation, 'history'),
      })
    const result = await watchJob(invocation, host, { attachCommand, isOwn: false })
    if (result.outcome === 'up-to-date') await showUnshownSecrets(invocation, host)
    return result
  }
  return await forEachHost(invocation, connectors, targets, { work })
}
