/**
 * Records SVIDs that were refused, in the ledger and in a counter. The counter has all of them. The ledger has so many a minute, and the next entry says how
 * many it has not: anybody may show a certificate that he has made himself.
 */
import type { Clock, Ledger, Random } from '../core/ports.ts'
import { plainEntry } from '../ledger/entry-builder.ts'
import type { SvidRefusal } from './svid-authenticator.ts'

/** Entries a minute: of SVIDs that an authority of the bundle has signed, and of those of anybody. */
const SIGNED_PER_MINUTE = 60
const UNSIGNED_PER_MINUTE = 10
const MINUTE_MS = 60_000

/** Which request it was. `path` is that of the route. */
export type RefusedRequest = Readonly<{ id: string; path: string; code: string }>

/** What it needs. `onRefused` counts; `onError` is called when an entry could not be written: the request is refused all the same. */
export type RefusalDependencies = Readonly<{
  ledger: Ledger
  clock: Clock
  random: Random
  onRefused: (refusal: SvidRefusal) => void
  onError: (cause: unknown) => void
}>

/** Records a refusal; resolves when its entry is durable, or there is none. */
export type RecordSvidRefusal = (refusal: SvidRefusal, request: RefusedRequest) => Promise<void>

/** Creates what records them. */
export function createSvidRefusalRecord(dependencies: RefusalDependencies): RecordSvidRefusal {
  const { ledger, clock, random, onRefused, onError } = dependencies
  const signed = createBound(SIGNED_PER_MINUTE, clock)
  const unsigned = createBound(UNSIGNED_PER_MINUTE, clock)
  return async (refusal, request) => {
    onRefused(refusal)
    const notRecorded = (refusal.spiffeId === undefined ? unsigned : signed).take()
    if (notRecorded === undefined) return
    const { agent, credential, reason, spiffeId } = refusal
    const entry = plainEntry(
      { clock, random },
      {
        ...{ eventKind: 'chat', eventType: 'request_refused', severity: 'warn', decision: 'block' },
        ...{ orgId: agent?.org ?? null, agentId: agent?.id ?? null, requestId: request.id },
        details: {
          agent_uuid: agent?.uuid,
          code: request.code,
          credential,
          not_recorded: notRecorded > 0 ? notRecorded : undefined,
          path: request.path,
          reason,
          spiffe_id: spiffeId,
        },
      },
    )
    await ledger.append(entry).catch(onError)
  }
}

/** Lets `countMax` through a minute. `take` returns how many it has held back since the last one, or undefined to hold back this one, too. */
function createBound(countMax: number, clock: Clock): Readonly<{ take: () => number | undefined }> {
  let endsMs = 0
  let left = 0
  let heldBack = 0
  return {
    take: () => {
      const nowMs = clock.elapsedMs()
      if (nowMs >= endsMs) {
        endsMs = nowMs + MINUTE_MS
        left = countMax
      }
      if (left === 0) {
        heldBack += 1
        return undefined
      }
      left -= 1
      const before = heldBack
      heldBack = 0
      return before
    },
  }
}
