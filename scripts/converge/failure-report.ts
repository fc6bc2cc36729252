/** The report of a failed step: the command, its output, the journal of the unit, and the next command to type. */

import { deadlineMsOf, describeCommand } from '../core/command.ts'
import type { Command, Output, Runner } from '../core/host.ts'
import type { Change } from '../core/resource.ts'
import { systemctlOf } from '../core/unit-command.ts'
import type { StepFailure } from '../output/event.ts'

const LINES_SHOWN = 20

function lastLines(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .slice(-LINES_SHOWN)
}

/** Exit codes of timeout(1): it ended the command, or had to kill it. */
const [OVERDUE_CODE, KILLED_CODE] = [124, 137]

/** Says so where the deadline ended a command: it may have printed nothing. */
function deadlineLines(command: Command, { code }: Output): readonly string[] {
  const deadline = `not finished within ${deadlineMsOf(command) / 1000} s`
  if (code === OVERDUE_CODE) return [`${deadline}; it was ended`]
  return code === KILLED_CODE ? [`it was killed: out of memory, or ${deadline}`] : []
}

const UNIT_JOBS = ['start', 'restart', 'reload', 'stop']

/** Returns the unit of a systemctl job. Of several units the first is enough: its journal names the others. */
function unitOf(command: Command): string | undefined {
  const { verb = '', unit } = systemctlOf(command) ?? {}
  return UNIT_JOBS.includes(verb) ? unit : undefined
}

async function journalOf(run: Runner, unit: string): Promise<readonly string[]> {
  const argv = ['journalctl', '--no-pager', '--quiet', '-o', 'short-iso', '-n', `${LINES_SHOWN}`, '-u', unit] as const
  const { stdout, stderr } = await run({ argv, effect: 'read' })
  return lastLines(stdout === '' ? stderr : stdout)
}

function nextOf(unit: string | undefined, retryCommand: string): string {
  return unit === undefined ? retryCommand : `journalctl -u ${unit} -e   (on the host), then ${retryCommand}`
}

/** Reports a command that failed, with the journal where it started a unit. `retryCommand` is the command line that continues the run. */
export async function reportFailure(
  run: Runner,
  resource: string,
  change: Change,
  failed: Readonly<{ command: Command; output: Output }>,
  retryCommand: string,
): Promise<StepFailure> {
  const { command, output } = failed
  const unit = unitOf(command)
  return {
    resource,
    action: change.action,
    command: describeCommand(command),
    code: output.code,
    output: [...lastLines(`${output.stdout}\n${output.stderr}`), ...deadlineLines(command, output)],
    ...(unit === undefined ? {} : { journal: { unit, lines: await journalOf(run, unit) } }),
    next: nextOf(unit, retryCommand),
  }
}

/** Reports a change that had no lasting effect: planning it again finds it still missing. */
export async function reportNotConverged(
  run: Runner,
  resource: string,
  change: Change,
  retryCommand: string,
): Promise<StepFailure> {
  const unit = change.commands.map(unitOf).find((name) => name !== undefined)
  const output =
    unit === undefined
      ? `still needed after it was applied: ${change.action}, because ${change.reason}`
      : `${unit} did not stay up after it was started (${change.reason})`
  return {
    resource,
    action: change.action,
    command: 'plan again',
    code: 1,
    output: [output],
    ...(unit === undefined ? {} : { journal: { unit, lines: await journalOf(run, unit) } }),
    next: nextOf(unit, retryCommand),
  }
}
