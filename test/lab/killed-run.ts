/**
 * Runs of `tappass bootstrap` that end by SIGKILL at a chosen point, to the event. The signal comes from within: a module that the process
 * imports first sees each event leave, and kills at once, so that nothing of the next step has begun.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Event } from '../../scripts/output/event.ts'
import { run } from './machine.ts'
import { bootstrapWords, inside, repository, type Server } from './server.ts'

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

/** What sees an event and kills, in either process. */
function watcher({ inside }: KillPoint): string {
  return `const inside = ${JSON.stringify(inside)}
const end = () => process.kill(process.pid, 'SIGKILL')
let resource = ''
const look = (event) => {
  if (event.event === 'step-started') resource = event.resource
  const delayMs = inside[resource] ?? inside['*']
  if (event.event === 'command-started' && delayMs !== undefined) {
    const begun = resource
    // Later it could hit a run that has been handed over, which goes on without whoever is killed.
    setTimeout(() => { if (resource === begun) end() }, delayMs)
  }
  if (event.event !== 'step-finished') return
  resource = ''
  if (event.isApplied && --left === 0) end()
}`
}

/** In the toolkit here: what it prints of the host's own run is not its doing. */
function killerHere(point: KillPoint): string {
  const module = `let left = ${point.after}
${watcher(point)}
let isHandedOver = false
const write = process.stdout.write
process.stdout.write = function (line, ...rest) {
  const isWritten = write.call(this, line, ...rest)
  const event = JSON.parse(line)
  isHandedOver ||= event.event === 'handed-over'
  if (!isHandedOver) look(event)
  return isWritten
}`
  return `data:text/javascript,${encodeURIComponent(module)}`
}

const [KILLER, DROP_IN] = ['/run/tappass-test-kill.mjs', '/run/systemd/system/tappass-run.service.d']

/** In the unit on the host: each event is a line that it appends to a file. */
function killerThere(point: KillPoint): string {
  return `import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
delete process.env.NODE_OPTIONS // It is not for what this process starts.
let left = ${point.after} - JSON.parse(fs.readFileSync('/run/tappass-converge/run/job.json', 'utf8')).applied.length
${watcher(point)}
const append = fs.appendFileSync
fs.appendFileSync = (path, line, ...rest) => {
  append(path, line, ...rest)
  const { event } = JSON.parse(line)
  if (event !== undefined) look(event)
}
syncBuiltinESMExports()
`
}

/** What is on each machine already. */
const ARMED = new Map<string, string>()

/** Lays what kills the unit on the host, where it is not there yet: systemd reads all of its units again for it. */
async function arm(server: Server, killer: string): Promise<void> {
  const { name } = server.machine
  if (ARMED.get(name) === killer) return
  const dropIn = `[Service]\nEnvironment=NODE_OPTIONS=--import=${KILLER}\n`
  const script = `cat >${KILLER}; mkdir -p ${DROP_IN}; printf '${dropIn}' >${DROP_IN}/kill.conf; systemctl daemon-reload`
  const { code, stderr } = await run(server.machine, script, { stdin: killer })
  if (code !== 0) throw new Error(stderr)
  ARMED.set(name, killer)
}

/** Starts the run whose process is to be killed: the toolkit's, or the unit's once the run is handed over. The one place that knows which. */
async function start(server: Server, point: KillPoint) {
  await arm(server, killerThere(point))
  return spawn(process.execPath, ['--import', killerHere(point), ...bootstrapWords(server)], {
    cwd: repository,
    env: { ...process.env, NODE_COMPILE_CACHE: join(repository, '.tappass/cache') }, // as the launcher has it
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Takes away what kills runs. */
export async function unarm(server: Server): Promise<void> {
  ARMED.delete(server.machine.name)
  await inside(server, `rm -rf ${DROP_IN} ${KILLER}; systemctl daemon-reload`)
}

/** The unit was killed: the toolkit sees its end, and no word of it. */
const isEndOfUnit = (event: Event): boolean =>
  event.event === 'error' && event.failure.what === 'the run on the host ended without saying how'

/** Runs until the point, or to the end where the run does not reach it. */
export async function runUntil(server: Server, point: KillPoint): Promise<KilledRun> {
  const child = await start(server, point)
  const ended = new Promise<NodeJS.Signals | null>((resolve, reject) => {
    child.once('error', reject).once('close', (_, signal) => resolve(signal))
  })
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  const signal = await ended
  const events = stdout.split('\n').flatMap((line): readonly Event[] => (line === '' ? [] : [JSON.parse(line)]))
  const isKilled = signal === 'SIGKILL' || events.some(isEndOfUnit)
  const done = events.flatMap((event) => (event.event === 'step-finished' && event.isApplied ? [event.resource] : []))
  const begun = events.findLast(({ event }) => event === 'step-started' || event === 'step-finished')
  const inside = isKilled && begun?.event === 'step-started' ? begun.resource : undefined
  return { isKilled, done, inside, said: `${stdout.slice(-4000)}${stderr.slice(-2000)}` }
}
