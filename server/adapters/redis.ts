/**
 * Rate limiting in Redis, so that all replicas share a window. When Redis does not respond, `take` throws: the step
 * fails and the call is refused. It fails closed, and never falls back to counting elsewhere.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { createWaitOut } from '../core/outage.ts'
import type { Allowance, RateLimiter } from '../core/ports.ts'

/** Timeout of a command and of a connection. Redis responds in well under a millisecond. */
const TIMEOUT_MS = 1000

/** Longest delay between two attempts to reconnect. */
const RETRY_MS_MAX = 500

/** A restart of Redis takes a second; the step that asks gives up after five. */
const WAIT_MS = 4000
const WAIT_EVERY_MS = 50

/**
 * core/gcra.ts in Lua, for several keys in turn: each key is read and written atomically on the server. Times are
 * stored with their fraction, and a key expires when its bucket is full. ARGV holds callsMax, windowMs and nowMs of
 * each key. Replies are strings, because Redis truncates numbers to integers.
 */
const TAKE_SCRIPT = `local answers = {}
for index, key in ipairs(KEYS) do
  local callMs = tonumber(ARGV[3 * index - 1]) / tonumber(ARGV[3 * index - 2])
  local windowMs, nowMs = tonumber(ARGV[3 * index - 1]), tonumber(ARGV[3 * index])
  local known = tonumber(redis.call('GET', key) or '0')
  if known > nowMs + windowMs then
    known = nowMs + windowMs
    redis.call('SET', key, string.format('%.6f', known), 'PX', math.max(1, math.ceil(windowMs)))
  end
  local full = math.max(known, nowMs) + callMs
  local overMs = full - nowMs - windowMs
  if overMs > math.min(callMs / 2, 0.5) then
    answers[index] = {0, 0, string.format('%.3f', overMs)}
  else
    redis.call('SET', key, string.format('%.6f', full), 'PX', math.max(1, math.ceil(full - nowMs)))
    local remaining = math.max(0, math.floor((windowMs - (full - nowMs)) / callMs + 1 / 20))
    answers[index] = {1, remaining, string.format('%.3f', full - nowMs)}
  end
end
return answers`

type Answer = [isAllowed: 0 | 1, remaining: number, resetMs: string]

type RedisWithTake = Redis & {
  tappassTake: (keyCount: number, ...scriptArguments: (string | number)[]) => Promise<Answer[]>
}

/** A call that waits to be counted. */
type PendingTake = Readonly<{
  key: string
  numbers: readonly [callsMax: number, windowMs: number, nowMs: number]
  resolve: (answer: Allowance) => void
  reject: (cause: unknown) => void
}>

/** Calls that one command counts at most: a script blocks all other clients while it runs. */
const BATCH_MAX = 100

/** A user of Redis who needs no password gets in with any. */
const NO_PASSWORD = 'none'

/** The socket of `unix:///path/to.sock?user=NAME`, and who logs in there. */
function socketOf(url: string): Readonly<{ path: string; username?: string; password?: string }> {
  const { pathname, searchParams } = new URL(url)
  const username = searchParams.get('user')
  const login = username === null ? {} : { username, password: NO_PASSWORD }
  return { path: decodeURIComponent(pathname), ...login }
}

/** Said by Redis while it reads its file, and by the client of a connection that has just gone, and is called ready still. */
function isPassing(error: unknown): boolean {
  return error instanceof Error && /^(?:LOADING|Stream isn't writeable|Connection is closed)/.test(error.message)
}

/** Returns what asks Redis again while it restarts. A connection that we have closed is not waited for. */
function waitForConnection(redis: Redis): <Answer>(ask: () => Promise<Answer>) => Promise<Answer> {
  const elapsedMs = (): number => performance.now()
  const waitOut = createWaitOut({ elapsedMs, pause: sleep, waitMs: WAIT_MS, everyMs: WAIT_EVERY_MS })
  return (ask) => waitOut(ask, (error) => redis.status !== 'end' && (redis.status !== 'ready' || isPassing(error)))
}

/** Connects in the background. */
function connect(url: string, authority: string | undefined): RedisWithTake {
  const options = {
    enableOfflineQueue: false,
    // Both would need commands that nothing else here uses.
    enableReadyCheck: false,
    disableClientInfo: true,
    maxRetriesPerRequest: 0,
    connectTimeout: TIMEOUT_MS,
    commandTimeout: TIMEOUT_MS,
    retryStrategy: (attempt: number) => Math.min(RETRY_MS_MAX, attempt * 50),
    scripts: { tappassTake: { lua: TAKE_SCRIPT } },
    ...(url.startsWith('rediss:') && authority !== undefined ? { tls: { ca: authority } } : {}),
  }
  const redis = url.startsWith('unix:') ? new Redis({ ...options, ...socketOf(url) }) : new Redis(url, options)
  return redis as RedisWithTake
}

/**
 * Given `redis[s]://[user:password@]host:port` or `unix:///path/to.sock[?user=NAME]`, creates the limiter; `onError` is called when a connection is
 * lost. `authority` is the one of its certificate, in PEM, where the system's are not meant. Connects in the background and reconnects after every loss; `take` waits for
 * that up to four seconds from the first loss on, and then throws at once until it is connected. A server that is silent is not waited for.
 */
export function createRedisLimiter(
  url: string,
  onError: (cause: Error) => void,
  authority?: string | undefined,
): RateLimiter {
  const redis = connect(url, authority)
  redis.on('error', onError)
  const pending: PendingTake[] = []
  let isTaking = false
  const connected = waitForConnection(redis)

  async function takeBatch(batch: readonly PendingTake[]): Promise<void> {
    try {
      const keys = batch.map(({ key }) => key)
      const numbers = batch.flatMap((each) => each.numbers)
      const answers = await connected(() => redis.tappassTake(keys.length, ...keys, ...numbers))
      for (const [index, { resolve }] of batch.entries()) {
        const [isAllowed, remaining, resetMs] = answers[index] as Answer
        resolve({ isAllowed: isAllowed === 1, remaining, resetMs: Math.ceil(Number(resetMs)) })
      }
    } catch (cause) {
      for (const { reject } of batch) reject(cause)
    }
  }

  /** One command at a time: calls that arrive meanwhile are counted together by the next one. */
  async function takeAll(): Promise<void> {
    isTaking = true
    while (pending.length > 0) await takeBatch(pending.splice(0, BATCH_MAX))
    isTaking = false
  }

  return {
    // Calls of the same turn of the event loop are counted by one command.
    take: (key, ...numbers) =>
      new Promise((resolve, reject) => {
        if (pending.length === 0 && !isTaking) setImmediate(takeAll)
        pending.push({ key, numbers, resolve, reject })
      }),
    ping: async () => {
      await redis.ping()
    },
    memory: () => readMemory(redis),
    close: async () => {
      redis.disconnect()
    },
  }
}

/** What the server itself says of its memory. */
async function readMemory(redis: Redis): Promise<Readonly<{ usedBytes: number; limitBytes: number }>> {
  const text = await redis.info('memory')
  const numberOf = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(text)?.[1] ?? 0)
  return { usedBytes: numberOf('used_memory'), limitBytes: numberOf('maxmemory') }
}
