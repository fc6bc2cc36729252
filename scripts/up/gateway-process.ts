/** The gateway as a child process: starts it, waits until it serves, stops it, and keeps the last lines of its log. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { Failure } from '../core/failure.ts'

/** How to start it. `environment` is the whole environment of the child; `onLogLine` receives each line of its log. */
export type GatewayOptions = Readonly<{
  entry: string
  environment: Readonly<Record<string, string>>
  readyTimeoutMs: number
  onLogLine: (line: string) => void
  interrupt: AbortSignal
}>

/** A gateway that serves. `ended` resolves when the process has ended; `stop` lets it drain first. */
export type RunningGateway = Readonly<{
  url: string
  pid: number
  ended: Promise<Readonly<{ code: number | null; signal: string | null }>>
  lastLogLines: () => string
  stop: () => Promise<void>
}>

const LAST_LINES_MAX = 20
/** The gateway drains for at most 30 s; after this time it is killed. */
const DRAIN_TIMEOUT_MS = 35_000

type LogTail = Readonly<{ lastLogLines: () => string; startForwarding: () => void }>

/** Keeps the last lines of the log. They are forwarded only once the gateway serves; until then they are part of an error message. */
function keepLogTail(child: ChildProcess, onLogLine: (line: string) => void): LogTail {
  const lines: string[] = []
  let isForwarding = false
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line)
      if (lines.length > LAST_LINES_MAX) lines.shift()
      if (isForwarding) onLogLine(line)
    })
  }
  const startForwarding = () => {
    isForwarding = true
    for (const line of lines) onLogLine(line)
  }
  return { lastLogLines: () => lines.join('\n'), startForwarding }
}

async function waitUntilReady(child: ChildProcess, start: GatewayOptions, lastLogLines: () => string): Promise<string> {
  const cleanup = new AbortController()
  const signal = AbortSignal.any([start.interrupt, cleanup.signal, AbortSignal.timeout(start.readyTimeoutMs)])
  try {
    const ended = once(child, 'close', { signal }).then(([code, by]) => {
      throw new Failure({
        what: `the gateway exited during start-up (${by ?? `exit code ${code}`})`,
        why: lastLogLines(),
      })
    })
    const message = once(child, 'message', { signal }).then(([message]) => {
      const { type, url, message: why } = message as Readonly<{ type?: string; url?: string; message?: string }>
      if (type === 'ready' && url !== undefined) return url
      throw new Failure({ what: 'the gateway failed to start', why: why ?? lastLogLines() })
    })
    message.catch(() => undefined)
    return await Promise.race([ended, message])
  } catch (error) {
    if (error instanceof Failure || start.interrupt.aborted) throw error
    const seconds = start.readyTimeoutMs / 1000
    throw new Failure({ what: `the gateway was not ready within ${seconds} s`, why: lastLogLines() }, 1, error)
  } finally {
    cleanup.abort()
  }
}

async function exitOf(child: ChildProcess): Promise<Readonly<{ code: number | null; signal: string | null }>> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return { code: child.exitCode, signal: child.signalCode }
}

/**
 * Starts the gateway and returns it once it serves. It runs in a process group of its own, so that Ctrl-C reaches it only through
 * `stop`. Throws a `Failure` with the last lines of its log, or the interrupt's reason.
 */
export async function startGateway(start: GatewayOptions, onSpawn: (pid: number) => void): Promise<RunningGateway> {
  const child = spawn(process.execPath, [start.entry], {
    env: { ...start.environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true,
  })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.removeListener('exit', kill))
  const { lastLogLines, startForwarding } = keepLogTail(child, start.onLogLine)
  try {
    await Promise.race([once(child, 'spawn'), once(child, 'error').then(([error]) => Promise.reject(error))])
    onSpawn(child.pid ?? 0)
    const url = await waitUntilReady(child, start, lastLogLines)
    startForwarding()
    const ended = exitOf(child)
    const stop = async () => {
      child.kill('SIGTERM')
      const timer = setTimeout(kill, DRAIN_TIMEOUT_MS)
      await ended
      clearTimeout(timer)
    }
    return { url, pid: child.pid ?? 0, ended, lastLogLines, stop }
  } catch (error) {
    kill()
    throw error
  }
}
