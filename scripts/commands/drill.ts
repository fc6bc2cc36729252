/** `tappass drill NAME|list`: does on each host for real what a disaster needs, measures it, and shows the last figures; see docs/how-to/drill.md. */
import { EXIT_CODE, exitCodeOf } from '../../contract/exit-code.ts'
import { bootstrapHint, hostCommandHint, renderProcessHints } from '../command-line/command-hint.ts'
import { type Invocation, isGiven } from '../command-line/invocation.ts'
import { drillCommand, listDrillsCommand } from '../control/drill-process.ts'
import { lockFact } from '../converge/host-lock.ts'
import { lockHolderOf } from '../converge/host-run.ts'
import { assertUnlocked, withLock } from '../converge/lock-lease.ts'
import { Failure, usageFailure } from '../core/failure.ts'
import type { Output } from '../core/host.ts'
import { readTargets } from '../inventory/target.ts'
import { type ListedDrill, listLines } from '../output/drill-table.ts'
import { connectors } from '../runners/connectors.ts'
import { readOnly } from '../runners/read-only.ts'
import { forEachHost, type HostResult, type HostSession, outcomeOf } from '../session/host-session.ts'

const NOTHING_DONE = { applied: 0, remaining: 0 } as const

function report(invocation: Invocation, { code, stderr }: Output): HostResult {
  invocation.stderr.write(renderProcessHints(invocation, stderr))
  return { ...NOTHING_DONE, outcome: code === 0 ? 'up-to-date' : outcomeOf(exitCodeOf(code)) }
}

/** The drills of the host's release, which may be another one than this clone's. Undefined: it said why not. */
async function drillsOf(
  invocation: Invocation,
  { run }: HostSession,
): Promise<Readonly<{ drills?: readonly ListedDrill[]; output: Output }>> {
  const output = await readOnly(run)(listDrillsCommand(bootstrapHint(invocation)))
  return output.code === 0 ? { drills: JSON.parse(output.stdout) as readonly ListedDrill[], output } : { output }
}

function show(invocation: Invocation, { emit }: HostSession, drills: readonly ListedDrill[]): HostResult {
  if (isGiven(invocation, 'json')) emit({ event: 'drills', drills })
  else invocation.stdout.write(`${listLines(drills)}\n`)
  return { ...NOTHING_DONE, outcome: 'shown' }
}

/** A drill that touches the service is done by nobody who has not agreed to what it does. */
async function isAgreed({ confirm, emit, target }: HostSession, { name, touches, effect }: ListedDrill) {
  if (touches === 'nothing') return true
  emit({ event: 'warning', warning: { what: `the drill "${name}" touches the service`, why: effect } })
  return await confirm(target.name, 1)
}

async function perform(invocation: Invocation, host: HostSession, drill: ListedDrill): Promise<HostResult> {
  const isJson = isGiven(invocation, 'json')
  const holder = lockHolderOf(invocation, host)
  assertUnlocked(holder, await host.freshFacts()(lockFact))
  if (!(await isAgreed(host, drill))) return { outcome: 'declined', applied: 0, remaining: 1 }
  const command = drillCommand(drill.name, drill.touches === 'service', isJson, bootstrapHint(invocation))
  const output = await withLock(holder, () => host.run(command))
  if (output.code === EXIT_CODE.locked)
    throw new Failure(
      {
        what: 'a backup, a restoration or another drill is under way on this host',
        next: hostCommandHint(invocation, 'logs backup'),
      },
      EXIT_CODE.locked,
    )
  if (!isJson) invocation.stdout.write(renderProcessHints(invocation, output.stdout))
  else
    for (const line of output.stdout.split('\n').filter((each) => each !== ''))
      host.emit({ event: 'drill', ...(JSON.parse(line) as Record<string, unknown>) })
  return report(invocation, output)
}

/** Returns 0 reached or shown, 1 missed or failed, 2 not confirmed, 4 locked, 5 nothing to be drilled, 6 unreachable; of several hosts, the worst. */
export async function run(invocation: Invocation): Promise<number> {
  const [name = ''] = invocation.operands
  const work = async (host: HostSession): Promise<HostResult> => {
    const { drills, output } = await drillsOf(invocation, host)
    if (drills === undefined) return report(invocation, output)
    if (name === 'list') return show(invocation, host, drills)
    const drill = drills.find((each) => each.name === name)
    if (drill !== undefined) return await perform(invocation, host, drill)
    const names = drills.map((each) => each.name).join(', ')
    throw usageFailure(`there is no drill "${name}" on this host: ${names}`, hostCommandHint(invocation, 'drill list'))
  }
  return await forEachHost(invocation, connectors, await readTargets(invocation), { work })
}
