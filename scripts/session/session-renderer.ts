/** Which renderer shows the events of a run, by the command line and the number of hosts. */
import { type Invocation, isGiven } from '../command-line/invocation.ts'
import type { Target } from '../inventory/target.ts'
import { jsonRenderer, liveRenderer, plainRenderer, type Renderer } from '../output/renderer.ts'
import { withTable } from '../output/run-table.ts'

/** Returns it: JSON, lines with the name of the host and a table at the end, or for one host on a terminal a live one. */
export function rendererFor(invocation: Invocation, targets: readonly Target[]): Renderer {
  const { stdout, stderr, nowMs, environment, program } = invocation
  const streams = { stdout: (text: string) => stdout.write(text), stderr: (text: string) => stderr.write(text) }
  if (isGiven(invocation, 'json')) return jsonRenderer(streams, program, nowMs)
  const options = { program, isPlanData: invocation.verb.name === 'plan', hasDiffs: isGiven(invocation, 'diff') }
  const names = targets.map(({ name }) => name)
  if (targets.length > 1) return withTable(plainRenderer(streams, options, true), streams, program, names)
  const isLive = stderr.isTTY === true && environment['TERM'] !== 'dumb'
  return isLive
    ? liveRenderer(streams, options, () => stderr.columns || 80, nowMs)
    : plainRenderer(streams, options, false)
}
