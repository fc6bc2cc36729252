/**
 * Runs of `tappass bootstrap` that end by SIGKILL at a chosen point, to the event. The signal comes from within: a module that the process
 * imports first sees each event leave, and kills at once, so that nothing of the next step has begun.
 */
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import type { Event } from '../../scripts/output/event.ts'
import { bootstrapWords, repository, type Server } from './server.ts'

/**
 * `after`: the run is killed when that many steps have changed something. `inside`: and before that in the middle of a step, so many
 * milliseconds after its first command began; by the resource's id, or `*` for whichever comes first.
 */
export type KillPoint = Readonly<{ after: number; inside: Readonly<Record<string, number>> }>

/** How a run went: the steps that changed something, in order, and the one in whose middle it was killed. */
export type KilledRun = Readonly<{
  isKilled: boolean
  done: readonly string[]
  inside: string | undefined
  said: string
}>

function killer({ after, inside }: KillPoint): string {
  const module = `const inside = ${JSON.stringify(inside)}
const end = () => process.kill(process.pid, 'SIGKILL')
let left = ${after}
let resource = ''
const write = process.stdout.write
process.stdout.write = function (line, ...rest) {
  const isWritten = write.call(this, line, ...rest)
  const event = JSON.parse(line)
  if (event.event === 'step-started') resource = event.resource
  const delayMs = inside[resource] ?? inside['*']
  if (event.event === 'command-started' && delayMs !== undefined) setTimeout(end, delayMs)
  if (event.event === 'step-finished' && event.isApplied && --left === 0) end()
  return isWritten
}`
  return `data:text/javascript,${encodeURIComponent(module)}`
}

/** Starts the run whose process is to be killed. The one place that knows which process that is. */
function start(server: Server, point: KillPoint) {
  return spawn(process.execPath, ['--import', killer(point), ...bootstrapWords(server)], {
    cwd: repository,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Runs until the point, or to the end where the run does not reach it. */
export async function runUntil(server: Server, point: KillPoint): Promise<KilledRun> {
  const child = start(server, point)
  const ended = new Promise<NodeJS.Signals | null>((resolve, reject) => {
    child.once('error', reject).once('close', (_, signal) => resolve(signal))
  })
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  const isKilled = (await ended) === 'SIGKILL'
  const events = stdout.split('\n').flatMap((line): readonly Event[] => (line === '' ? [] : [JSON.parse(line)]))
  const done = events.flatMap((event) => (event.event === 'step-finished' && event.isApplied ? [event.resource] : []))
  const begun = events.findLast((event) => event.event === 'step-started' || event.event === 'step-finished')
  const inside = isKilled && begun?.event === 'step-started' ? begun.resource : undefined
  return { isKilled, done, inside, said: `${stdout.slice(-4000)}${stderr.slice(-2000)}` }
}
