/**
 * What taints sessions, as the entries of the ledger have said it. It is in the database, where all replicas see it, and not in
 * Redis, which may let go of what it holds when memory is short.
 */
import type { Clock, Database, SessionTaints } from '../core/ports.ts'

/** The answer has a row for each family that taints a session; `place` is that of the session in the question, from 1 on. */
const ASK = `SELECT question.place::int4 AS place, taint.family
  FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS question (agent_uuid, session_id, place)
  JOIN session_taints taint USING (agent_uuid, session_id)
  WHERE taint.tainted_at > $3::timestamptz
  ORDER BY question.place, taint.family`

const PRUNE = 'DELETE FROM session_taints WHERE tainted_at <= $1::timestamptz'

/** Sessions that one statement asks about. */
const BATCH_MAX = 500

/** A question that waits. */
type Question = Readonly<{ agentUuid: string; session: string }> & PromiseWithResolvers<readonly string[]>

/**
 * Creates the reader; a taint counts for `lastingMs` from its last cause. One statement at a time is under way: calls that
 * come meanwhile ask together with the next one.
 */
export function createSessionTaints(database: Database, clock: Clock, lastingMs: number): SessionTaints {
  const waiting: Question[] = []
  let isAsking = false
  const oldest = (): string => new Date(clock.nowMs() - lastingMs).toISOString()

  async function ask(batch: readonly Question[]): Promise<void> {
    try {
      const agents = batch.map(({ agentUuid }) => agentUuid)
      const sessions = batch.map(({ session }) => session)
      const rows = await database.query<{ place: number; family: string }>(ASK, [agents, sessions, oldest()])
      for (const [index, { resolve }] of batch.entries())
        resolve(rows.filter(({ place }) => place === index + 1).map(({ family }) => family))
    } catch (cause) {
      for (const { reject } of batch) reject(cause)
    }
  }

  async function askAll(): Promise<void> {
    isAsking = true
    while (waiting.length > 0) await ask(waiting.splice(0, BATCH_MAX))
    isAsking = false
  }

  return {
    of: (agentUuid, session) => {
      const question = { agentUuid, session, ...Promise.withResolvers<readonly string[]>() }
      waiting.push(question)
      if (!isAsking) void askAll()
      return question.promise
    },
    prune: async () => {
      await database.query(PRUNE, [oldest()])
    },
  }
}
