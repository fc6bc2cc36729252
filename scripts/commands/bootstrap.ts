/** `tappass bootstrap`: brings each host to the wanted state: shows what it would change, asks, applies, and looks again. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { consentOf } from '../command-line/confirmation.ts'
import type { Invocation } from '../command-line/invocation.ts'
import { bringAbout } from '../converge/host-run.ts'
import { recipe } from '../recipe.ts'
import { connectLocal } from '../runners/local.ts'
import { wantedSpec } from '../session/effective-spec.ts'
import { type Connectors, onEachHost } from '../session/host-session.ts'
import { chosenResources } from '../spec/role-selection.ts'
import { readTargets } from '../spec/target.ts'

const connectors: Connectors = {
  local: async (askPassword) => connectLocal(process.getuid?.() === 0, askPassword),
  ssh: async (...address) => (await import('../runners/ssh.ts')).connectSsh(...address),
  nonce: () => randomBytes(16).toString('hex'),
}

/** Exits 0 as wanted, 1 failed, 2 declined, 4 locked by another run, 5 refused, 6 unreachable, 130 interrupted. */
export async function run(invocation: Invocation): Promise<number> {
  const text = (path: string) => readFileSync(join(invocation.root, path), 'utf8')
  const targets = await readTargets(invocation)
  const consent = consentOf(invocation)
  return await onEachHost(invocation, connectors, targets, async (host) => {
    const spec = await wantedSpec(invocation, host)
    const resources = chosenResources(recipe(spec, text), invocation)
    return await bringAbout(invocation, host, resources, spec.preflight, consent)
  })
}
