/** Creates what governs calls. */
import type { LoadedSteps } from '../adapters/step-folder.ts'
import type { Config } from '../config/config.ts'
import type { Ports } from '../core/ports.ts'
import { createFindingCache } from '../pipeline/finding-cache.ts'
import type { Gateway } from '../pipeline/gateway.ts'
import { isPlainText } from '../pipeline/recordable-text.ts'

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

/** Creates what tells whether detectors find nothing in a text. */
export function createTextCheck({ limits }: Config, { steps }: LoadedSteps): (text: string) => boolean {
  return (text) => isPlainText({ steps, limits }, text)
}
