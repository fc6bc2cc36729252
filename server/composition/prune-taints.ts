/** Removes what does not taint sessions any more, at start and every hour. */
import type { FastifyBaseLogger } from 'fastify'
import type { SessionTaints } from '../core/ports.ts'

const EVERY_MS = 3_600_000

/** Starts it. Returns what stops it, and waits for what is under way. A failure is logged, and tried again an hour later. */
export function pruneTaints(
  taints: Pick<SessionTaints, 'prune'>,
  log: Pick<FastifyBaseLogger, 'warn'>,
): () => Promise<void> {
  const prune = (): Promise<void> =>
    taints.prune().catch((err: unknown) => log.warn({ err }, 'old taints of sessions were not removed'))
  let last = prune()
  const timer = setInterval(() => {
    last = prune()
  }, EVERY_MS)
  timer.unref()
  return () => {
    clearInterval(timer)
    return last
  }
}
