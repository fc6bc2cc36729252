/** What a person needs to know of a failed step: what ran, what it said, and where to look next. */

import type { Command, Output, Runner } from '../core/host.ts'
import type { Change } from '../core/resource.ts'
import type { StepFailure } from '../output/event.ts'
import { describe } from './apply.ts'

const LINES_SHOWN = 20

function lastLines(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .slice(-LINES_SHOWN)
}

const JOBS = ['start', 'restart', 'reload', 'stop']

/** The unit that a systemctl job was about. Of several, the first that failed to come up is as good as any: the journal names it. */
function unitOf({ argv: [program, verb = '', unit] }: Command): string | undefined {
  return program === 'systemctl' && JOBS.includes(verb) ? unit : undefined
}

async function journalOf(run: Runner, unit: string): Promise<readonly string[]> {
  const argv = ['journalctl', '--no-pager', '--quiet', '-o', 'short-iso', '-n', `${LINES_SHOWN}`, '-u', unit] as const
  const { stdout, stderr } = await run({ argv, effect: 'read' })
  return lastLines(stdout === '' ? stderr : stdout)
}

/** Asks the host for the journal where a unit failed. `again` is the command line that goes on with the run. */
export async function reportFailure(
  run: Runner,
  resource: string,
  change: Change,
  failed: Readonly<{ command: Command; output: Output }>,
  again: string,
): Promise<StepFailure> {
  const { command, output } = failed
  const unit = unitOf(command)
  return {
    resource,
    does: change.does,
    command: describe(command),
    code: output.code,
    said: lastLines(`${output.stdout}\n${output.stderr}`),
    ...(unit === undefined ? {} : { journal: { unit, lines: await journalOf(run, unit) } }),
    next: unit === undefined ? again : `journalctl -u ${unit} -e   (on the host), then ${again}`,
  }
}
