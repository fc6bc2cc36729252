/**
 * Loaded into a gateway that is measured (`node --import bench/loop-probe.ts …`): on the message `probe` it answers how long
 * its event loop stood still at most since the last one, how much of that its own thread worked, and how much processor time all its threads have used.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'

/** What a probe answers. `turnMs`: the most processor time of the answering thread between two turns of its loop. */
export type ProbeAnswer = Readonly<{ type: 'probe'; stallMs: number; turnMs: number; processorMs: number }>

const delay = monitorEventLoopDelay({ resolution: 1 })
delay.enable()
let before = process.cpuUsage()

/** Other work on the machine makes a turn longer, but not what it takes. */
let turnMs = 0
let usedMs = threadMs()
setInterval(() => {
  const nowMs = threadMs()
  turnMs = Math.max(turnMs, nowMs - usedMs)
  usedMs = nowMs
}, 1).unref()

function threadMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

process.on('message', (message) => {
  if (message !== 'probe') return
  const { user, system } = process.cpuUsage(before)
  before = process.cpuUsage()
  const processorMs = (user + system) / 1000
  process.send?.({ type: 'probe', stallMs: delay.max / 1e6, turnMs, processorMs } satisfies ProbeAnswer)
  turnMs = 0
  delay.reset()
})
// The channel alone must not keep a process that ends.
process.channel?.unref()
