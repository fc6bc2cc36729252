/** Which renderer shows the events of a run, by the command line and the number of hosts. */
import { type Invocation, isGiven } from '../command-line/invocation.ts'
import type { Target } from '../inventory/target.ts'
import { groupEqualPlans, type PlanEvent } from '../output/plan-group.ts'
import { jsonRenderer, liveRenderer, plainRenderer, type Renderer } from '../output/renderer.ts'
import { withTable } from '../output/run-table.ts'

/** `showPlan` shows the plan of some hosts once; `write` says a line about a host. Both do nothing with `--json`, where each host has its own events. */
export type SessionRenderer = Renderer &
  Readonly<{
    showPlan: (hosts: readonly string[], plan: PlanEvent) => void
    write: (host: string, line: string) => void
  }>

/** Keeps the plans of all hosts to the end, and shows equal ones once. */
function withEqualPlans(renderer: SessionRenderer, names: readonly string[]): SessionRenderer {
  const plans = new Map<string, PlanEvent>()
  return {
    ...renderer,
    emit: (host, event) => {
      if (event.event === 'plan') plans.set(host, event)
      else renderer.emit(host, event)
    },
    close: () => {
      const planned = names.flatMap((name) => {
        const plan = plans.get(name)
        return plan === undefined ? [] : [[name, plan] as const]
      })
      for (const { hosts, plan } of groupEqualPlans(planned)) renderer.showPlan(hosts, plan)
      renderer.close()
    },
  }
}

function silent(renderer: Renderer): SessionRenderer {
  return { ...renderer, showPlan: () => undefined, write: () => undefined }
}

/** Returns it: JSON, lines with the name of the host and a table at the end, or for one host on a terminal a live one. */
export function rendererFor(invocation: Invocation, targets: readonly Target[]): SessionRenderer {
  const { stdout, stderr, nowMs, environment, program } = invocation
  const streams = { stdout: (text: string) => stdout.write(text), stderr: (text: string) => stderr.write(text) }
  if (isGiven(invocation, 'json')) return silent(jsonRenderer(streams, program, nowMs))
  const options = { program, isPlanData: invocation.verb.name === 'plan', hasDiffs: isGiven(invocation, 'diff') }
  const names = targets.map(({ name }) => name)
  if (targets.length > 1) {
    const renderer = withTable(plainRenderer(streams, options, true), streams, program, names)
    const writePlan = options.isPlanData ? streams.stdout : streams.stderr
    const showPlan = (hosts: readonly string[], plan: PlanEvent) => {
      const [first = ''] = hosts
      const label = `${hosts.length} hosts`
      if (hosts.length > 1) writePlan(`${label} with the same plan: ${hosts.join(', ')}\n`)
      renderer.emit(hosts.length > 1 ? label : first, plan)
    }
    const whole = { ...renderer, showPlan, write: (host: string, line: string) => streams.stderr(`${host}: ${line}\n`) }
    return options.isPlanData ? withEqualPlans(whole, names) : whole
  }
  const isLive = stderr.isTTY === true && environment['TERM'] !== 'dumb'
  return silent(
    isLive ? liveRenderer(streams, options, () => stderr.columns || 80, nowMs) : plainRenderer(streams, options, false),
  )
}
