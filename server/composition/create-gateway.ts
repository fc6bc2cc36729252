/** Creates what governs calls. */
import type { LoadedSteps } from '../adapters/step-folder.ts'
import type { Config } from '../config/config.ts'
import type { Ports } from '../core/ports.ts'
import { createFindingCache } from '../pipeline/finding-cache.ts'
import type { Gateway } from '../pipeline/gateway.ts'

/** Creates the gateway with these steps, and the registry of what they find. */
export function createGateway({ limits, secrets }: Config, { steps, registry }: LoadedSteps, ports: Ports): Gateway {
  const vaultKey = secrets.TAPPASS_VAULT_KEY
  return {
    steps,
    registry,
    limits,
    findingCache: createFindingCache(),
    commitmentKey: vaultKey === undefined ? ports.random.bytes(32) : Buffer.from(vaultKey, 'base64'),
    ports,
  }
}
