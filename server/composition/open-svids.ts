/** Opens what SPIFFE identities are checked against, and tells how it is: in the log, in metrics, to the health routes. */
import type { FastifyBaseLogger } from 'fastify'
import type { Trust } from '../access/svid-verifier.ts'
import type { Prometheus } from '../adapters/prometheus.ts'
import { openSvidFolder, type SvidFolderState } from '../adapters/svid-folder.ts'
import type { Config } from '../config/config.ts'
import type { Clock } from '../core/ports.ts'
import type { HealthRoutes } from '../routes/health.ts'
import type { SvidTexts } from '../svid/svid-set.ts'

const TICK_MS = 1000

/** SPIFFE identities of one trust domain. `onSvid` calls back with each SVID of the gateway's own: the one that there is, and each later one. */
export type Svids = Readonly<{
  trustDomain: string
  trust: () => Trust
  describe: NonNullable<HealthRoutes['spiffe']>
  problem: () => string | undefined
  onSvid: (use: (texts: SvidTexts) => void) => void
  close: () => void
}>

/** What it needs. */
export type SvidDependencies = Readonly<{ clock: Clock; log: FastifyBaseLogger; meter: Pick<Prometheus, 'gauge'> }>

/** Opens them where a setting says so. A folder without files is no failure: its SVID may be on its way. */
export async function openSvids(
  { spiffe }: Pick<Config, 'spiffe'>,
  { clock, log, meter }: SvidDependencies,
): Promise<Svids | undefined> {
  if (spiffe === undefined) return undefined
  const { trustDomain } = spiffe
  const users: ((texts: SvidTexts) => void)[] = []
  let used: SvidTexts | undefined
  const folder = await openSvidFolder(spiffe, clock, (state) => {
    report(state, log)
    if (state.set === undefined || state.set.texts === used) return
    used = state.set.texts
    for (const use of users) use(used)
  })
  const describe = (): ReturnType<Svids['describe']> => describeState(trustDomain, folder.state(), clock.nowMs())
  const watch = createExpiryWatch(describe, log)
  const tick = (): void => {
    showGauges(describe(), meter)
    watch()
  }
  tick()
  const timer = setInterval(tick, TICK_MS).unref()
  return {
    trustDomain,
    trust: () => {
      const { set, checkToken } = folder.state()
      return { trustDomain, authorities: set?.authorities, checkToken }
    },
    describe,
    problem: () => describe().problems[0],
    onSvid: (use) => {
      users.push(use)
      if (used !== undefined) use(used)
    },
    close: () => {
      clearInterval(timer)
      folder.close()
    },
  }
}

function describeState(trustDomain: string, state: SvidFolderState, nowMs: number): ReturnType<Svids['describe']> {
  const { set, checkToken, problems, bundleChangedMs } = state
  const isExpired = set !== undefined && set.expiresMs <= nowMs
  return {
    trust_domain: trustDomain,
    spiffe_id: set?.spiffeId ?? null,
    expires_at: set === undefined ? null : new Date(set.expiresMs).toISOString(),
    expires_in_seconds: set === undefined ? null : Math.floor((set.expiresMs - nowMs) / 1000),
    bundle_age_seconds:
      bundleChangedMs === undefined ? null : Math.max(0, Math.floor((nowMs - bundleChangedMs) / 1000)),
    jwt_svids: checkToken !== undefined,
    problems: [...(isExpired ? ["the gateway's SVID has expired"] : []), ...problems],
  }
}

function showGauges(state: ReturnType<Svids['describe']>, meter: SvidDependencies['meter']): void {
  meter.gauge('tappass_svid_expiry_seconds', state.expires_in_seconds ?? 0)
  meter.gauge('tappass_svid_bundle_age_seconds', state.bundle_age_seconds ?? 0)
  meter.gauge('tappass_svid_problem', state.problems.length > 0 ? 1 : 0)
}

function report({ set, problems }: SvidFolderState, log: FastifyBaseLogger): void {
  if (problems.length > 0) log.warn({ problems }, 'files of the SVID folder are not taken')
  else if (set) log.info({ spiffe_id: set.spiffeId, expires: new Date(set.expiresMs) }, 'an SVID was taken')
}

/** Says once of each SVID that it has expired. */
function createExpiryWatch(describe: Svids['describe'], log: FastifyBaseLogger): () => void {
  let logged: string | null = null
  return () => {
    const { expires_at, expires_in_seconds, spiffe_id } = describe()
    if (expires_in_seconds === null || expires_in_seconds > 0 || logged === expires_at) return
    logged = expires_at
    log.error({ spiffe_id, expires_at }, "the gateway's SVID has expired")
  }
}
