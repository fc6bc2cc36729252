/**
 * The policy in an OPA server, over a UNIX socket or HTTP. OPA says with each result which bundle it is from, so one that was exchanged is
 * noticed with that very call. Nothing is cached, and whatever is not a decision of that policy throws: the call is refused.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Dispatcher, Pool } from 'undici'
import { canonicalJson } from '../core/canonical-json.ts'
import { parseDecision, verdictOf } from '../core/decision.ts'
import { sha256 } from '../core/hash.ts'
import type { Clock, PolicyEngine } from '../core/ports.ts'

/** Time for one decision, and for how long an OPA that is being restarted is waited for. It responds in about a millisecond. */
const WAIT_MS_MAX = 1500
const RETRY_MS = 20

/** Connections at most: OPA decides on all cores at once, and what is above waits here. */
const CONNECTIONS = 32

/** A decision has some hundred bytes; the document and the sources of a policy, with their syntax trees, some hundred thousand. */
const RESPONSE_BYTES_MAX = 16 * 1024 * 1024

/** What it holds is compared as often as this at most; its revision with every call. */
const VERIFY_EVERY_MS = 30_000

const DECISION_PATH = '/v1/data/tappass/verdict/decision?provenance=true'
const BUNDLE = 'tappass'

/** What was wrong with OPA, for logs and health; never what was asked. */
export class OpaError extends Error {
  override readonly name = 'OpaError'
  readonly code: string

  constructor(code: string, cause?: unknown) {
    super(`OPA: ${code}`, { cause })
    this.code = code
  }
}

/** `digests` are those (SHA-256, hex) of every module of the policy, and `document` its base document. `onFault` is told when something else is wrong than before. After an outage of `waitMsMax` calls are refused at once. */
export type OpaServerOptions = Readonly<{
  url: string
  revision: string
  digests: readonly string[]
  document: object
  clock: Pick<Clock, 'elapsedMs'>
  onFault: (fault: OpaError) => void
  waitMsMax?: number
}>

type OpaRequest = Readonly<{ path: string; body?: string }>

/** Failures before there was a response: asking again can't do harm, as a decision changes nothing. */
const AWAY: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'UND_ERR_SOCKET',
  'UND_ERR_CLOSED',
])

function openPool(url: string): Pool {
  const { protocol, pathname } = new URL(url)
  const limits = { connections: CONNECTIONS, pipelining: 1, maxResponseSize: RESPONSE_BYTES_MAX }
  if (protocol === 'unix:') return new Pool('http://opa', { ...limits, socketPath: decodeURIComponent(pathname) })
  return new Pool(new URL(url).origin, limits)
}

/** An OPA that has just been started answers before it has read its bundle. */
const NO_BUNDLE = 'OPA_NO_BUNDLE'

function isAway(cause: unknown): boolean {
  const { code } = cause as { code?: unknown }
  return code === NO_BUNDLE || AWAY.has(code)
}

type Ask = <T>(request: OpaRequest, read: (text: string) => T) => Promise<T>

/** Asks OPA and reads what it says; while it is not there, again and again for as long as an outage may last. */
function createClient(pool: Pool, { clock: { elapsedMs }, waitMsMax = WAIT_MS_MAX }: OpaServerOptions): Ask {
  let awaySinceMs: number | undefined
  const once = async ({ path, body }: OpaRequest, signal: AbortSignal): Promise<string> => {
    const options: Dispatcher.RequestOptions = {
      path,
      ...(body === undefined ? { method: 'GET' } : { method: 'POST', body }),
      headers: { 'content-type': 'application/json' },
      signal,
    }
    const response = await pool.request(options)
    const text = await response.body.text()
    if (response.statusCode !== 200) throw new OpaError(`OPA_STATUS_${response.statusCode}`)
    return text
  }
  return async (request, read) => {
    const signal = AbortSignal.timeout(waitMsMax)
    let away: OpaError | undefined
    for (;;) {
      try {
        const value = read(await once(request, signal))
        awaySinceMs = undefined
        return value
      } catch (cause) {
        if (signal.aborted) throw away ?? new OpaError('OPA_TIMEOUT', cause)
        if (!isAway(cause)) throw cause instanceof OpaError ? cause : new OpaError('OPA_UNREADABLE', cause)
        away = cause instanceof OpaError ? cause : new OpaError('OPA_UNREACHABLE', cause)
        awaySinceMs ??= elapsedMs()
        if (elapsedMs() - awaySinceMs > waitMsMax) throw away
      }
      await sleep(RETRY_MS)
    }
  }
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  } catch (cause) {
    throw new OpaError('OPA_MALFORMED', cause)
  }
  throw new OpaError('OPA_MALFORMED')
}

/** The result that OPA gives. Throws when it is from another bundle, from more than ours, or undefined. */
function resultOf(text: string, revision: string): unknown {
  const { result, provenance } = parsed(text) as { result?: unknown; provenance?: { bundles?: object } }
  const held = canonicalJson(provenance?.bundles ?? {})
  if (held === '{}') throw new OpaError(NO_BUNDLE)
  if (held !== canonicalJson({ [BUNDLE]: { revision } })) throw new OpaError('OPA_OTHER_REVISION')
  if (result === undefined) throw new OpaError('OPA_NO_RESULT')
  return result
}

type Module = Readonly<{ raw?: unknown }>

/** Throws when OPA holds other modules than those with these digests, or another document. */
async function verifyHeld(ask: Ask, { digests, document }: OpaServerOptions) {
  const { result: modules } = (await ask({ path: '/v1/policies' }, parsed)) as { result?: readonly Module[] }
  const held = (modules ?? []).map(({ raw }) => sha256(String(raw))).sort()
  if (canonicalJson(held) !== canonicalJson([...digests].sort())) throw new OpaError('OPA_OTHER_POLICY')
  const [name, members] = Object.entries(document)[0] as [string, object]
  const texts = await Promise.all(
    Object.keys(members).map(async (member) => {
      const { result } = await ask({ path: `/v1/data/${name}/${member}` }, parsed)
      return [member, result] as const
    }),
  )
  if (canonicalJson(Object.fromEntries(texts)) !== canonicalJson(members)) throw new OpaError('OPA_OTHER_DATA')
}

/** Tells when something else is wrong with OPA than before. */
function createReporter(onFault: OpaServerOptions['onFault']) {
  let fault: string | undefined
  return {
    well: () => {
      fault = undefined
    },
    fault: (cause: unknown): OpaError => {
      const error = cause instanceof OpaError ? cause : new OpaError('OPA_NO_DECISION', cause)
      if (error.code !== fault) onFault(error)
      fault = error.code
      return error
    },
  }
}

/** Compares what OPA holds, once for all who wait for it. */
function createVerifier(ask: Ask, options: OpaServerOptions) {
  const { elapsedMs } = options.clock
  let verifiedMs: number | undefined
  let verifying: Promise<void> | undefined
  return {
    forget: () => {
      verifiedMs = undefined
    },
    isOlderThan: (ms: number) => verifiedMs === undefined || elapsedMs() - verifiedMs > ms,
    verify: (): Promise<void> => {
      const startMs = elapsedMs()
      verifying ??= verifyHeld(ask, options)
        .then(() => {
          verifiedMs = startMs
        })
        .finally(() => {
          verifying = undefined
        })
      return verifying
    },
  }
}

/**
 * Creates the engine. It connects when it is first asked, so an OPA that is not there yet is no reason not to start. What OPA holds is
 * compared before the first decision, after every fault and every lost connection, and when it is verified.
 */
export function createOpaPolicy(options: OpaServerOptions): PolicyEngine {
  const { url, revision } = options
  const pool = openPool(url)
  const ask = createClient(pool, options)
  const report = createReporter(options.onFault)
  const { forget, isOlderThan, verify } = createVerifier(ask, options)
  // Behind a new connection there may be another process.
  pool.on('disconnect', forget)

  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      const value = await work()
      report.well()
      return value
    } catch (cause) {
      forget()
      throw report.fault(cause)
    }
  }

  return {
    engine: 'opa',
    revision,
    decide: (input, decisionId) =>
      guarded(async () => {
        const request = { path: DECISION_PATH, body: JSON.stringify({ input }) }
        const decision = parseDecision(await ask(request, (text) => resultOf(text, revision)))
        if (isOlderThan(Number.POSITIVE_INFINITY)) await verify()
        return verdictOf(decision, revision, decisionId)
      }),
    verify: () =>
      guarded(async () => {
        if (isOlderThan(VERIFY_EVERY_MS)) await verify()
      }),
    close: () => pool.destroy(),
  }
}
