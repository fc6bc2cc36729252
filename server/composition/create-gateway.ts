/** Creates what governs calls. */
import { join } from 'node:path'
import { loadSteps } from '../adapters/step-folder.ts'
import type { Config } from '../config/config.ts'
import type { Ports } from '../core/ports.ts'
import { createFindingCache } from '../pipeline/finding-cache.ts'
import type { Gateway } from '../pipeline/gateway.ts'

const STEPS = join(import.meta.dirname, '../steps')

/** Creates the gateway with all steps. Throws when a step can't be loaded. */
export async function createGateway({ limits, secrets }: Config, ports: Ports): Promise<Gateway> {
  const vaultKey = secrets.TAPPASS_VAULT_KEY
  return {
    steps: await loadSteps(STEPS),
    limits,
    findingCache: createFindingCache(),
    commitmentKey: vaultKey === undefined ? ports.random.bytes(32) : Buffer.from(vaultKey, 'base64'),
    ports,
  }
}
