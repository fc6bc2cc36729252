/** The time between two batches of a rollout: the hosts of the last one are watched, again and again, until it is over or one is not well. */
import { setTimeout as wait } from 'node:timers/promises'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { Failure } from '../core/failure.ts'

/** Waits so long, or until the signal. */
export type Pause = (ms: number, signal: AbortSignal) => Promise<unknown>

/** `probe` returns what is not well; it throws a `Failure` when the host can't be asked. After `signal` nothing more is asked. */
export type Soak = Readonly<{
  probe: () => Promise<readonly string[]>
  soakMs: number
  nowMs: () => number
  signal: AbortSignal
  pause: Pause | undefined
}>

const INTERVAL_MS = 10_000

/** What is not well may be so for a moment only: it is looked at again after this time, so many times. */
const DOUBT_MS = 2000
const TRIES_MAX = 3

async function pauseByClock(ms: number, signal: AbortSignal): Promise<void> {
  await wait(ms, undefined, { signal }).catch(() => undefined)
}

type Problem = Failure | readonly string[]

async function lookOnce({ probe }: Soak): Promise<Problem | undefined> {
  try {
    const unwell = await probe()
    return unwell.length === 0 ? undefined : unwell
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
}

function isInterrupted(problem: Problem | undefined): boolean {
  return problem instanceof Failure && problem.code === EXIT_CODE.interrupted
}

async function lookPatiently(soak: Soak, pause: Pause): Promise<Problem | undefined> {
  for (let tries = 1; ; tries++) {
    const problem = await lookOnce(soak)
    if (problem === undefined || isInterrupted(problem) || soak.signal.aborted) return undefined
    if (tries === TRIES_MAX) return problem
    await pause(DOUBT_MS, soak.signal)
  }
}

/** Watches one host, which is looked at once at least. Returns what is not well and stays so, or why it could not be asked; undefined when it is well to the end. */
export async function soakHost(soak: Soak): Promise<Problem | undefined> {
  const { soakMs, nowMs, signal, pause = pauseByClock } = soak
  const endMs = nowMs() + soakMs
  for (;;) {
    const problem = await lookPatiently(soak, pause)
    const leftMs = endMs - nowMs()
    if (problem !== undefined || leftMs <= 0 || signal.aborted) return problem
    await pause(Math.min(INTERVAL_MS, leftMs), signal)
    if (signal.aborted) return undefined
  }
}
