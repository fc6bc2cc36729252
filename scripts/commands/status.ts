/** `tappass status`: every unit of a host, whether it is well, which revision it runs, and the last backup. */
import { randomBytes } from 'node:crypto'
import { type Invocation, isGiven } from '../command-line/invocation.ts'
import { lookAtHealth, renderHealth } from '../output/host-health.ts'
import { connectLocal } from '../runners/local.ts'
import { readOnly } from '../runners/read-only.ts'
import { type Connectors, onEachHost } from '../session/host-session.ts'
import { readTargets } from '../spec/target.ts'

const connectors: Connectors = {
  local: async (askPassword) => connectLocal(process.getuid?.() === 0, askPassword),
  ssh: async (...address) => (await import('../runners/ssh.ts')).connectSsh(...address),
  nonce: () => randomBytes(16).toString('hex'),
}

/** Exits 0 when all is well, 1 when something is not. A table on stdout; with `--json` the event `health`. */
export async function run(invocation: Invocation): Promise<number> {
  const targets = await readTargets(invocation)
  return await onEachHost(invocation, connectors, targets, async ({ run: asRoot, look, target, tell }) => {
    const health = await lookAtHealth(look(readOnly(asRoot)))
    tell({ event: 'health', ...health })
    if (!isGiven(invocation, 'json')) {
      const title = targets.length > 1 ? `${target.name}\n` : ''
      invocation.stdout.write(`${title}${renderHealth(health)}`)
    }
    return { outcome: health.isWell ? 'as-wanted' : 'unwell', applied: 0, remaining: 0 }
  })
}
