/** Creates what governs calls. */
import { join } from 'node:path'
import type { LoadedSteps } from '../adapters/step-folder.ts'
import { createThreadPool } from '../adapters/thread-pool.ts'
import type { Config } from '../config/config.ts'
import type { Ports } from '../core/ports.ts'
import { createFindingCache } from '../pipeline/finding-cache.ts'
import type { Gateway } from '../pipeline/gateway.ts'
import { isPlainText } from '../pipeline/recordable-text.ts'

/** What a thread runs that looks through large bodies. */
const WORKER = join(import.meta.dirname, '..', 'inspection', 'worker.ts')

/**
 * Creates the gateway with these steps, and the registry of what they find. `stepFolders` are where the steps come from:
 * threads for large bodies load them from there, too.
 */
export function createGateway(
  { limits, secrets, publicUrl }: Config,
  { steps, registry }: LoadedSteps,
  ports: Ports,
  stepFolders: readonly string[],
): Gateway {
  const vaultKey = secrets.TAPPASS_VAULT_KEY
  const aliasKey = vaultKey === undefined ? ports.random.bytes(32) : Buffer.from(vaultKey, 'base64')
  const workerData = { stepFolders, aliasKey }
  const inspector = createThreadPool({ worker: WORKER, workerData, clock: ports.clock })
  return {
    steps,
    registry,
    limits,
    publicUrl,
    findingCache: createFindingCache(),
    aliasKey,
    ports,
    inspector,
  }
}

/** Creates what tells whether detectors, or the one that is named, find nothing in a text. */
export function createTextCheck({ limits }: Config, loaded: LoadedSteps, only?: string): (text: string) => boolean {
  const steps = loaded.steps.filter(({ name }) => only === undefined || name === only)
  return (text) => isPlainText({ steps, limits }, text)
}
