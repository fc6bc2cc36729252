/**
 * Threads that look through large bodies: a kept pool (piscina), made when the first one comes. Each task may use so much
 * processor time, which other work on the machine doesn't shorten; a thread that goes on is ended, and another takes its place.
 */
import { availableParallelism } from 'node:os'
import { threadId } from 'node:worker_threads'
import type { Piscina } from 'piscina'
import { InspectionError, InspectionTimeout, type Inspector, OverloadError } from '../core/inspection.ts'
import type { Clock, QueueUse } from '../core/ports.ts'

/** A task, and where the thread says that it has begun: its id and its processor time. */
export type ThreadTask<T> = Readonly<{ progress: Int32Array; task: T }>

/** `worker` is the file that a thread runs; it gets `workerData`. `heapMb`: what a thread may hold besides its newest values. */
export type ThreadPoolOptions = Readonly<{
  worker: string
  workerData: object
  clock: Clock
  limits?: Partial<Limits>
  heapMb?: number
}>

type Limits = Readonly<{ processorMs: number; waitMs: number; elapsedMs: number; pendingMax: number }>

/**
 * A body of 5 MB of prose takes a fifth of a second of a processor; what takes four times as long was made for it. The
 * next two are for machines with other work: a wait for a thread, and a run. `pendingMax`: tasks that run or wait.
 */
const LIMITS: Limits = { processorMs: 800, waitMs: 10_000, elapsedMs: 20_000, pendingMax: 32 }

const CHECK_MS = 50
const WAIT = 'too many calls wait to be looked through'
const IDLE_MS = 60_000

/** One core stays for the thread that answers. */
function threadsMax(): number {
  return Math.max(1, availableParallelism() - 1)
}

/** Memory of a thread (megabytes): the largest body takes some 50. */
const HEAP_MB = 256
const YOUNG_MB = 48

/** Called in a thread when it begins with a task. */
export function begin(progress: Int32Array): void {
  const { user, system } = process.threadCpuUsage()
  Atomics.store(progress, 1, Math.round((user + system) / 1000))
  Atomics.store(progress, 0, threadId)
}

/** Creates the pool. Nothing is loaded before the first task. */
export function createThreadPool(options: ThreadPoolOptions): Inspector {
  const { clock, limits } = options
  const bounds = { ...LIMITS, ...limits }
  let opened: Promise<Piscina> | undefined
  const pending = new Set<Place>()
  const run = async <T, R>(name: string, task: T): Promise<R> => {
    if (pending.size >= bounds.pendingMax) throw new OverloadError(WAIT)
    const place = { queuedMs: clock.elapsedMs() }
    pending.add(place)
    let watch: TaskWatch | undefined
    try {
      opened ??= openPool(options)
      const pool = await opened
      const progress = new Int32Array(new SharedArrayBuffer(8))
      watch = watchTask(pool, progress, clock, bounds)
      const given: ThreadTask<T> = { progress, task }
      return (await pool.run(given, { name, signal: watch.signal })) as R
    } catch (cause) {
      throw watch?.stopped() ?? failureOf(cause)
    } finally {
      watch?.end()
      pending.delete(place)
    }
  }
  return {
    inspect: (task) => run('inspect', task),
    redact: (task) => run('redact', task),
    pending: () => useOf(pending, clock),
    close: async () => {
      await (await opened)?.destroy()
    },
  }
}

async function openPool({ worker, workerData, heapMb = HEAP_MB }: ThreadPoolOptions): Promise<Piscina> {
  const { Piscina } = await import('piscina')
  const pool = new Piscina({
    filename: worker,
    workerData,
    // One stays, and takes over what waits when another is ended.
    minThreads: 1,
    maxThreads: threadsMax(),
    idleTimeout: IDLE_MS,
    // A thread that waits for its next task within the last one keeps all that a weak reference had pointed at.
    atomics: 'disabled',
    resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: YOUNG_MB },
  })
  // A thread that has no memory left, or is being ended, may fail without a task.
  pool.on('error', () => {})
  return pool
}

/** A task's place: they stand in the order in which they came. */
type Place = Readonly<{ queuedMs: number }>

function useOf(places: ReadonlySet<Place>, { elapsedMs }: Clock): QueueUse {
  const [oldest] = places
  return { count: places.size, oldestMs: oldest === undefined ? 0 : elapsedMs() - oldest.queuedMs }
}

type TaskWatch = ReturnType<typeof watchTask>

/** Stops a task that takes too long; `stopped` says why. */
function watchTask(pool: Piscina, progress: Int32Array, clock: Clock, limits: Limits) {
  const controller = new AbortController()
  const queuedMs = clock.elapsedMs()
  let begunMs: number | undefined
  let reason: Error | undefined
  const stop = (error: Error): void => {
    reason ??= error
    controller.abort()
  }
  const check = async (): Promise<void> => {
    const id = Atomics.load(progress, 0)
    const nowMs = clock.elapsedMs()
    if (id === 0) {
      if (nowMs - queuedMs > limits.waitMs) stop(new OverloadError(WAIT))
      return
    }
    begunMs ??= nowMs
    if (nowMs - begunMs > limits.elapsedMs) return stop(new InspectionTimeout('looking through a call took too long'))
    const usage = await pool.threads.find((thread) => thread.threadId === id)?.cpuUsage()
    const usedMs = usage === undefined ? 0 : (usage.user + usage.system) / 1000 - Atomics.load(progress, 1)
    if (usedMs > limits.processorMs) stop(new InspectionError('looking through a call takes too much processor time'))
  }
  // A thread that has ended has no times any more.
  const timer = setInterval(() => void check().catch(() => {}), CHECK_MS)
  return { signal: controller.signal, stopped: () => reason, end: () => clearInterval(timer) }
}

/** What a failure of the pool means. */
function failureOf(cause: unknown): unknown {
  if ((cause as { code?: unknown } | null)?.code === 'ERR_WORKER_OUT_OF_MEMORY')
    return new InspectionError('looking through a call takes too much memory', { cause })
  return cause
}
