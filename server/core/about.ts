/** What a process tells about itself. Holds no secret: `/health/detailed` shows all of it. */
import type { License, LicenseCheck } from './license.ts'
import type { Step } from './step.ts'

/** `license` is what /health shows; `revision` is the deployment's own word for what it rolled out. */
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
  steps: readonly Pick<Step, 'name' | 'position' | 'stages'>[]
  startedAtMs: number
}>
