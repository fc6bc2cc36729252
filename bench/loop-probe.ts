/**
 * Loaded into a gateway that is measured (`node --import bench/loop-probe.ts …`): on the message `probe` it answers how long
 * its event loop stood still at most since the last one, and how much processor time all its threads have used.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'

/** What a probe answers. */
export type ProbeAnswer = Readonly<{ type: 'probe'; stallMs: number; processorMs: number }>

const delay = monitorEventLoopDelay({ resolution: 1 })
delay.enable()
let before = process.cpuUsage()

process.on('message', (message) => {
  if (message !== 'probe') return
  const { user, system } = process.cpuUsage(before)
  before = process.cpuUsage()
  process.send?.({ type: 'probe', stallMs: delay.max / 1e6, processorMs: (user + system) / 1000 } satisfies ProbeAnswer)
  delay.reset()
})
// The channel alone must not keep a process that ends.
process.channel?.unref()
