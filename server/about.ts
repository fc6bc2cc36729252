/** What a process tells about itself: its release, its settings that are no secret, what it judges with. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from './config.ts'
import type { About } from './core/about.ts'
import type { Gateway } from './core/judge.ts'
import { COMMUNITY, checkLicense } from './core/license.ts'

/** The version in package.json: the one place where it stands. */
export function releaseVersion(): string {
  const text = readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

/** Gives what the health routes show. Throws in production when there is a license that does not hold. */
export function describe(config: Config, { steps, ports }: Gateway): About {
  const { TAPPASS_LICENSE: token, TAPPASS_LICENSE_AUTHORITY: authority } = config.secrets
  const check = token === undefined ? undefined : checkLicense(token, authority, ports.clock.nowMs())
  const isInvalid = check?.status === 'invalid'
  if (isInvalid && config.environment === 'production')
    throw new Error(`TAPPASS_LICENSE does not hold: ${check.reason}`)
  return {
    version: releaseVersion(),
    storage: config.storage,
    license: check && !isInvalid ? check.license : COMMUNITY,
    licenseStatus: check?.status ?? 'none',
    instance: config.instance,
    revision: config.revision,
    environment: config.environment,
    limiter: config.redisUrl ? 'redis' : 'in-process',
    policy: ports.policy.revision,
    steps: steps.map(({ name, position, stages }) => ({ name, position, stages })),
    startedAtMs: ports.clock.nowMs(),
  }
}
