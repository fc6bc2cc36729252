/**
 * Keeps two runs of migrations apart: an advisory lock of the database itself, held by the run's own connection, so
 * it ends with that connection however the run dies.
 */
import type { Database } from '../core/ports.ts'

/** The key of the advisory lock: "tapp" in ASCII, and 1 for migrations. */
const KEY = [0x74617070, 1] as const
const POLL_MS = 200

/** Who holds the lock, as far as the database knows. */
export type LockHolder = Readonly<{ backendPid: number; name: string; since: Date }>

/** How to wait: `sleep` resolves after so many milliseconds. */
export type LockWait = Readonly<{
  lockTimeoutMs: number
  nowMs: () => number
  sleep: (ms: number) => Promise<void>
}>

/**
 * Runs `work` under the lock. Returns `locked` with the holder when the lock is not free in time. Throws when the
 * lock was lost during the run: a pooler that switches connections voids session locks.
 */
export async function withMigrationLock<T>(
  session: Database,
  wait: LockWait,
  work: () => Promise<T>,
): Promise<Readonly<{ status: 'done'; result: T }> | Readonly<{ status: 'locked'; holder: LockHolder | undefined }>> {
  if (!(await waitForLock(session, wait))) return { status: 'locked', holder: await holderOf(session) }
  let result: T
  try {
    result = await work()
  } catch (error) {
    // The first error is the one to report; if unlocking fails too, the connection is lost and the lock with it.
    await unlock(session).catch(() => false)
    throw error
  }
  if (!(await unlock(session)))
    throw new Error(
      'the lock was lost during the run: use a direct or session-mode connection, not a transaction pooler (port 6543)',
    )
  return { status: 'done', result }
}

async function waitForLock(session: Database, { lockTimeoutMs, nowMs, sleep }: LockWait): Promise<boolean> {
  const deadlineMs = nowMs() + lockTimeoutMs
  for (;;) {
    const [row] = await session.query<{ isOurs: boolean }>('SELECT pg_try_advisory_lock($1, $2) AS "isOurs"', KEY)
    if (row?.isOurs === true) return true
    if (nowMs() >= deadlineMs) return false
    await sleep(POLL_MS)
  }
}

async function unlock(session: Database): Promise<boolean> {
  const [row] = await session.query<{ isUnlocked: boolean }>('SELECT pg_advisory_unlock($1, $2) AS "isUnlocked"', KEY)
  return row?.isUnlocked === true
}

async function holderOf(session: Database): Promise<LockHolder | undefined> {
  const [holder] = await session.query<LockHolder>(
    `SELECT l.pid AS "backendPid", a.application_name AS name, a.backend_start AS since
     FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
     WHERE l.locktype = 'advisory' AND l.classid::bigint = $1 AND l.objid::bigint = $2 AND l.objsubid = 2 AND l.granted
       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    KEY,
  )
  return holder
}
