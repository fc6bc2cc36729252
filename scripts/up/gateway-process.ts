/** The gateway as a child process: started, awaited until it serves, stopped; its last words when it fails. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { Failure } from '../core/failure.ts'

/** How to start it. `environment` is all that the child gets; `tell` receives each line that it logs. */
export type GatewayStart = Readonly<{
  entry: string
  environment: Readonly<Record<string, string>>
  readyTimeoutMs: number
  tell: (line: string) => void
  interrupt: AbortSignal
}>

/** A gateway that serves. `ended` settles when the process is gone; `stop` lets it drain first. */
export type RunningGateway = Readonly<{
  url: string
  pid: number
  ended: Promise<Readonly<{ code: number | null; signal: string | null }>>
  lastWords: () => string
  stop: () => Promise<void>
}>

const LAST_LINES_MAX = 20
/** The gateway drains for 30 s at most (its contract); after this much it is ended. */
const DRAIN_TIMEOUT_MS = 35_000

type Lines = Readonly<{ lastWords: () => string; tellFromNowOn: () => void }>

/** Keeps the last lines; they are told only once the gateway serves, since before that they are the error's own words. */
function keepLines(child: ChildProcess, tell: (line: string) => void): Lines {
  const lines: string[] = []
  let isTelling = false
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line)
      if (lines.length > LAST_LINES_MAX) lines.shift()
      if (isTelling) tell(line)
    })
  }
  const tellFromNowOn = () => {
    isTelling = true
    for (const line of lines) tell(line)
  }
  return { lastWords: () => lines.join('\n'), tellFromNowOn }
}

async function awaitReady(child: ChildProcess, start: GatewayStart, lastWords: () => string): Promise<string> {
  const watch = new AbortController()
  const signal = AbortSignal.any([start.interrupt, watch.signal, AbortSignal.timeout(start.readyTimeoutMs)])
  try {
    const ended = once(child, 'close', { signal }).then(([code, by]) => {
      throw new Failure({ what: `the gateway ended before it served (${by ?? `exit code ${code}`})`, why: lastWords() })
    })
    const message = once(child, 'message', { signal }).then(([said]) => {
      const { type, url, message: why } = said as Readonly<{ type?: string; url?: string; message?: string }>
      if (type === 'ready' && url !== undefined) return url
      throw new Failure({ what: 'the gateway could not start', why: why ?? lastWords() })
    })
    message.catch(() => undefined)
    return await Promise.race([ended, message])
  } catch (error) {
    if (error instanceof Failure || start.interrupt.aborted) throw error
    const seconds = start.readyTimeoutMs / 1000
    throw new Failure({ what: `the gateway did not serve within ${seconds} s`, why: lastWords() }, 1, error)
  } finally {
    watch.abort()
  }
}

async function endOf(child: ChildProcess): Promise<Readonly<{ code: number | null; signal: string | null }>> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return { code: child.exitCode, signal: child.signalCode }
}

/**
 * Starts the gateway and gives it once it serves. It runs in a process group of its own, so that Ctrl-C reaches it
 * through `stop` alone, once. Throws a Failure with its last words, or the interrupt's reason.
 */
export async function startGateway(start: GatewayStart, onSpawn: (pid: number) => void): Promise<RunningGateway> {
  const child = spawn(process.execPath, [start.entry], {
    env: { ...start.environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true,
  })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.removeListener('exit', kill))
  const { lastWords, tellFromNowOn } = keepLines(child, start.tell)
  try {
    await Promise.race([once(child, 'spawn'), once(child, 'error').then(([error]) => Promise.reject(error))])
    onSpawn(child.pid ?? 0)
    const url = await awaitReady(child, start, lastWords)
    tellFromNowOn()
    const ended = endOf(child)
    const stop = async () => {
      child.kill('SIGTERM')
      const timer = setTimeout(kill, DRAIN_TIMEOUT_MS)
      await ended
      clearTimeout(timer)
    }
    return { url, pid: child.pid ?? 0, ended, lastWords, stop }
  } catch (error) {
    kill()
    throw error
  }
}
