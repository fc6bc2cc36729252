/** `tappass bootstrap`: brings each host to the wanted state: shows what it would change, asks, applies, and looks again. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bringAbout } from '../core/bringing-about.ts'
import { chosenResources } from '../core/chosen-role.ts'
import { consentOf } from '../core/consent.ts'
import { type Connectors, onEachHost } from '../core/host-session.ts'
import type { Invocation } from '../core/invocation.ts'
import { readTargets } from '../core/target.ts'
import { wantedSpec } from '../core/wanted-spec.ts'
import { recipe } from '../recipe.ts'
import { connectLocal } from '../runners/local.ts'

const connectors: Connectors = {
  local: async (askPassword) => connectLocal(process.getuid?.() === 0, askPassword),
  ssh: async (...address) => (await import('../runners/ssh.ts')).connectSsh(...address),
  nonce: () => randomBytes(16).toString('hex'),
}

/** Exits 0 as wanted, 1 failed, 2 declined, 4 locked by another run, 5 refused, 6 unreachable, 130 interrupted. */
export const run = async (invocation: Invocation): Promise<number> => {
  const text = (path: string) => readFileSync(join(invocation.root, path), 'utf8')
  const targets = await readTargets(invocation)
  const consent = consentOf(invocation)
  return await onEachHost(invocation, connectors, targets, async (host) => {
    const spec = await wantedSpec(invocation, host)
    const resources = chosenResources(recipe(spec, text), invocation)
    return await bringAbout(invocation, host, resources, spec.preflight, consent)
  })
}
