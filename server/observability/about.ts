/** What a process reports about itself. Holds no secret: `/health/detailed` shows all of it. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { COMMUNITY, checkLicense, type License, type LicenseCheck, licenseEndMs } from '../../contract/license.ts'
import type { Config } from '../config/config.ts'
import type { Ports } from '../core/ports.ts'
import type { Step } from '../core/step.ts'

/** `license` is what /health shows; `revision` is the deployment's own version. */
export type About = Readonly<{
  version: string
  storage: string
  license: License
  licenseStatus: LicenseCheck['status'] | 'none'
  instance: string
  revision: string
  environment: string
  limiter: string
  policy: string
  policyEngine: string
  steps: readonly Pick<Step, 'name' | 'position' | 'stages'>[]
  startedAtMs: number
}>

/** The version in package.json, the only place where it is written. */
export function releaseVersion(): string {
  const text = readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

/** Returns what the health routes show. Throws in production when there is an invalid license. */
export function describeGateway(
  config: Config,
  steps: readonly Step[],
  { clock, policy }: Pick<Ports, 'clock' | 'policy'>,
): About {
  const { TAPPASS_LICENSE: token, TAPPASS_LICENSE_AUTHORITY: authority } = config.secrets
  const check = token === undefined ? undefined : checkLicense(token, authority, clock.nowMs())
  const isInvalid = check?.status === 'invalid'
  if (isInvalid && config.environment === 'production') throw new Error(`TAPPASS_LICENSE is invalid: ${check.reason}`)
  return {
    version: releaseVersion(),
    storage: config.storage,
    license: check && !isInvalid ? check.license : COMMUNITY,
    licenseStatus: check?.status ?? 'none',
    instance: config.instance,
    revision: config.revision,
    environment: config.environment,
    limiter: config.redisUrl ? 'redis' : 'in-process',
    policy: policy.revision,
    policyEngine: config.policy.engine,
    steps: steps.map(({ name, position, stages }) => ({ name, position, stages })),
    startedAtMs: clock.nowMs(),
  }
}

/** Returns the end of the license (milliseconds since 1970); undefined where it has none. */
export function licenseEnd({ license }: Pick<About, 'license'>): number | undefined {
  return licenseEndMs(license.expires ?? '')
}

/** Returns the license's status at a time: a valid one expires while the process runs. */
export function licenseStatusAt({ license, licenseStatus }: About, nowMs: number): About['licenseStatus'] {
  const endMs = licenseEndMs(license.expires ?? '') ?? Number.POSITIVE_INFINITY
  return licenseStatus === 'valid' && nowMs > endMs ? 'expired' : licenseStatus
}
