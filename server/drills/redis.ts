/**
 * Redis loses what it holds: counters of calls, and nothing else. Under load the counter of the drill's own agent is lost again and again; then all of Redis, with its process.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type CallLoad, DRILL_AGENT, outageMs, underLoad } from '../drill/call-load.ts'
import { createStopwatch, type Drill, type DrillContext, demand, NotHere } from '../drill/drill.ts'
import { containerOf, isRunning, killUnderLoad } from '../drill/service-unit.ts'
import { DATABASE } from '../recovery/backup-host.ts'

const REDIS = containerOf('redis')
const LOSSES = 5
const PAUSE_MS = 200

/** The gateway's user of Redis may delete nothing: the counter is one that ends at once. */
const FORGET = "return redis.call('SET', KEYS[1], '0', 'PX', 1)"

async function forgetCounter({ host, run }: DrillContext): Promise<void> {
  const [org = ''] = await host.restoreTool.read(
    DATABASE.live,
    "SELECT id FROM public.organizations WHERE slug = 'default'",
  )
  const login = ['-s', '/tappass/run/redis.sock', '--user', 'tappass', '--pass', 'none', '--no-auth-warning'] as const
  const eval_ = ['eval', FORGET, '1', `rl:${org}:${DRILL_AGENT}`] as const
  const answer = await demand(run, ['docker', 'exec', 'tappass-redis', 'redis-cli', ...login, ...eval_])
  if (answer !== 'OK') throw new Error(`Redis did not lose the counter: ${answer}`)
}

/** Returns how long no call was answered for it. */
async function loseCounters(context: DrillContext, load: CallLoad): Promise<number> {
  const lossMs = context.clock.elapsedMs()
  for (let count = 0; count < LOSSES; count += 1) {
    await forgetCounter(context)
    await sleep(PAUSE_MS)
  }
  return outageMs(load.samples, lossMs) ?? context.clock.elapsedMs() - lossMs
}

/** See docs/how-to/drill.md. */
export const drill: Drill = {
  name: 'redis',
  summary: 'Redis loses its counters under load, and then everything with its process',
  touches: 'service',
  effect: 'calls wait or are refused for some seconds while Redis is away, and the windows of all agents begin anew',
  goal: { rtoMs: 0, rpoMs: 0 },
  run: async (context) => {
    if (!(await isRunning(context, REDIS.unit))) throw new NotHere('Redis is not on this host (storage.redis)')
    const watch = createStopwatch(context.clock)
    let refusedMs = 0
    const { rtoMs, rpoMs, calls, failures } = await underLoad(context, async (load) => {
      const lossMs = context.clock.elapsedMs()
      const lostMs = await watch.time(`lose the counter ${LOSSES} times`, () => loseCounters(context, load))
      const killed = await watch.time('lose Redis, until it is back', () => killUnderLoad(context, REDIS, load))
      refusedMs = killed.outageMs
      return { lossMs, rtoMs: lostMs }
    })
    const steps = [...watch.steps, { what: 'without Redis: calls waited or were refused', ms: refusedMs }]
    const notes = [
      `${failures} of ${calls} calls failed`,
      'the count of a window is what is lost: an agent may begin it anew',
    ]
    return { rtoMs, rpoMs, steps, notes }
  },
}
