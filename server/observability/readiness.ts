/** Whether the gateway can serve: each dependency is probed, in parallel, with a timeout. */

import { NO_TOOLS } from '../core/call.ts'
import type { PolicyEngine } from '../core/ports.ts'

/** Probes one dependency; throws when it is not healthy. */
export type Probe = () => Promise<unknown>

/**
 * The health of one dependency. `error` is the error's name and code, for auditors; never its message. `degraded`: something of its own is wrong, in words, and
 * calls are served.
 */
export type Check = Readonly<{ status: 'ok' | 'degraded' | 'failed'; ms: number; error?: string }>

/** Says at once what is wrong with something that calls do not depend on; undefined when nothing is. */
export type Condition = () => string | undefined

/** For the health routes. */
export type Readiness = Readonly<{
  check: () => Promise<Readonly<{ isReady: boolean; checks: Readonly<Record<string, Check>> }>>
  hasStarted: () => boolean
  /** Marks the process as serving. */
  start: () => void
  /** Marks the process as draining: load balancers are to go elsewhere. */
  drain: () => void
}>

/** Timeout of one probe. */
const PROBE_TIMEOUT_MS = 2000

/** Given the probes and conditions, by the names that the health routes show, and a monotonic clock. */
export function createReadiness(
  probes: Readonly<Record<string, Probe>>,
  elapsedMs: () => number,
  conditions: Readonly<Record<string, Condition>> = {},
): Readiness {
  let phase: 'starting' | 'serving' | 'draining' = 'starting'
  const runProbe = async (probe: Probe): Promise<Check> => {
    const startMs = elapsedMs()
    try {
      await Promise.race([probe(), timeout()])
      return { status: 'ok', ms: elapsedMs() - startMs }
    } catch (cause) {
      return { status: 'failed', ms: elapsedMs() - startMs, error: nameOf(cause) }
    }
  }
  const runAllProbes = async (): Promise<readonly (readonly [name: string, check: Check])[]> =>
    Promise.all(Object.entries(probes).map(async ([name, probe]) => [name, await runProbe(probe)] as const))
  // Anybody may ask: concurrent requests share one result, or they would queue up before the calls.
  let running: ReturnType<typeof runAllProbes> | undefined
  return {
    check: async () => {
      running ??= runAllProbes().finally(() => {
        running = undefined
      })
      const answers = await running
      const isReady = phase === 'serving' && answers.every(([, { status }]) => status === 'ok')
      const asides = Object.entries(conditions).map(([name, condition]) => [name, checkOf(condition())] as const)
      return { isReady, checks: Object.fromEntries([...answers, ...asides]) }
    },
    hasStarted: () => phase !== 'starting',
    start: () => {
      phase = 'serving'
    },
    drain: () => {
      phase = 'draining'
    },
  }
}

/**
 * Asks a policy engine something that every policy has to refuse: a policy that does not is invalid. An engine in another process is
 * asked what it holds, too.
 */
export async function probePolicy({ decide, verify }: PolicyEngine): Promise<void> {
  const call = { stage: 'request', model: '', stream: false, flags: {}, outcomes: [] } as const
  const ofNobody = { agent: { id: '', org: '' }, session: { taint: [] }, tools: NO_TOOLS }
  const verdict = await decide({ ...call, ...ofNobody }, 'probe')
  if (verdict.action !== 'block') throw new Error('the policy allows a call of an unknown agent')
  await verify?.()
}

function checkOf(problem: string | undefined): Check {
  return problem === undefined ? { status: 'ok', ms: 0 } : { status: 'degraded', ms: 0, error: problem }
}

function timeout(): Promise<never> {
  return new Promise((_resolve, reject) => {
    setTimeout(() => reject(new Error('timeout')), PROBE_TIMEOUT_MS).unref()
  })
}

function nameOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'unknown'
  const { code, sqlState } = cause as { code?: unknown; sqlState?: unknown }
  return [cause.name, code ?? sqlState].filter((part) => typeof part === 'string').join(' ')
}
